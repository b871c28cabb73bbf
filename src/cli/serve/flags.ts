// What `quorate serve` can be told.

import type { HttpAddress } from '../../observability/http/address.ts'
import type { BusFlags } from '../common-options.ts'
import type { LogLevel } from '../logger.ts'
import type { TuningFlags } from './tuning-flags.ts'

export interface ServeFlags extends BusFlags, TuningFlags {
  readonly id: string
  readonly peers: readonly string[]
  /** Says how it becomes a member of a group that is there. */
  readonly join?: boolean
  readonly data: string
  readonly trust: readonly string[]
  readonly machine?: string
  readonly logLevel: LogLevel
  readonly http?: HttpAddress
  readonly json?: boolean
}
