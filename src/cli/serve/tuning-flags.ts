// The options of a node as flags: the common ones by name, every other one as `--option name=value`.

import { InvalidArgumentError, Option } from 'commander'
import { QuorateError } from '../../errors.ts'
import { parseTuning, type TuningInput, tuningSchema } from '../../options.ts'
import { parseCount } from '../common-options.ts'

export interface TuningFlags {
  readonly electionTimeout?: number
  readonly leaderLease?: boolean
  readonly maxClockDrift?: number
  readonly drainTimeout?: number
  readonly option?: Readonly<Record<string, unknown>>
}

const NAMES = Object.keys(tuningSchema.shape)
const milliseconds = parseCount('milliseconds', 0, 2_147_483_647)

export function tuningOptions(): Option[] {
  return [
    new Option('--election-timeout <ms>', 'silence after which a leader is presumed gone').argParser(
      milliseconds,
    ),
    new Option('--max-clock-drift <ms>', 'added wherever a leader must be gone for sure').argParser(
      milliseconds,
    ),
    new Option('--leader-lease', 'serve lease reads; equal on all members'),
    new Option('--drain-timeout <ms>', 'how long a stop waits for pending writes').argParser(milliseconds),
    new Option('--option <name=value>', 'any other option of docs/configuration.md; repeatable').argParser(
      collectOption,
    ),
  ]
}

/** @throws QuorateError INVALID naming the option. */
export function tuningOf(flags: TuningFlags): TuningInput {
  const { electionTimeout, leaderLease, maxClockDrift, drainTimeout, option } = flags
  return parseTuning({
    ...option,
    ...(electionTimeout === undefined ? {} : { electionTimeoutMs: electionTimeout }),
    ...(maxClockDrift === undefined ? {} : { maxClockDriftMs: maxClockDrift }),
    ...(drainTimeout === undefined ? {} : { drainTimeoutMs: drainTimeout }),
    ...(leaderLease === undefined ? {} : { leaderLease }),
  })
}

function collectOption(
  text: string,
  before: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  if (at < 1) throw new InvalidArgumentError('It must be name=value.')
  if (!NAMES.includes(name))
    throw new InvalidArgumentError(`There is no option ${name}; there are ${NAMES.join(', ')}.`)
  const value = readValue(text.slice(at + 1))
  try {
    parseTuning({ [name]: value })
  } catch (error) {
    if (error instanceof QuorateError) throw new InvalidArgumentError(error.message)
    throw error
  }
  return { ...before, [name]: value }
}

function readValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+$/.test(text) ? Number(text) : text
}
