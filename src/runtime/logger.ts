// Words for people who operate a node. The host hands in what it already has (pino fits as it is).

import { sheltered } from './errors.ts'

export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

const nothing = (): void => {}

/** The default of an embedded library: silence. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** The same logger, but one that throws costs nobody anything but the line: it is somebody else's code. */
export function shelteredLogger(logger: Logger = silentLogger): Logger {
  if (logger === silentLogger) return logger
  const guard =
    (level: keyof Logger) =>
    (fields: LogFields, message: string): void =>
      sheltered(() => logger[level](fields, message), nothing)
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
