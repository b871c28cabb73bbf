// The log of a served member: one JSON object per line, or pretty on a terminal.

import { type Logger as Pino, pino, stdTimeFunctions } from 'pino'
import type { Logger } from '../runtime/logger.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogOptions {
  readonly level: LogLevel
  readonly member: string
  readonly group: string
  /** The member's term now, for every line. */
  readonly term: () => number | null
  readonly pretty: boolean
}

/** pino writes them itself. */
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'message'])

/** Writes to stdout at once, so that nothing is lost when the process ends. */
export async function createLogger(options: LogOptions): Promise<Logger> {
  const { level, member, group, term } = options
  const destination = options.pretty ? await prettyStream() : pino.destination({ dest: 1, sync: true })
  const log: Pino = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ member, group, term: term() }),
      mixinMergeStrategy: mergeOnce,
      serializers: { error: (error: unknown) => (error instanceof Error ? error.message : error) },
    },
    destination,
  )
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}

/** What the line itself says is not said again: JSON with one key twice means something else to each reader. */
function mergeOnce(fields: object, own: object): object {
  const line: Record<string, unknown> = { ...own }
  for (const [name, value] of Object.entries(fields)) line[RESERVED.has(name) ? `${name}_` : name] = value
  return line
}

async function prettyStream() {
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    colorize: !process.env.NO_COLOR,
    messageKey: 'message',
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'group',
    singleLine: true,
    sync: true,
  })
}
