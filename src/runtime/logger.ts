// Words for people who operate a node. The host hands in what it already has (pino fits as it is).

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
