// Members that an operator has forced: what a member keeps of it until an entry on its disk says so, and who waits for that.

import type { QuorateError } from '../../errors.ts'
import type { ResetVerdict } from '../../rules/disaster.ts'
import type { ConfigurationEntry, LogId, LogIndex, PeerId } from '../../rules/types.ts'
import type { TimerHandle } from '../../runtime/clock.ts'

export type ResetOutcome =
  | { readonly ok: true; readonly configuration: ConfigurationEntry }
  | { readonly ok: false; readonly error: QuorateError }

export type AskedReset = (outcome: ResetOutcome) => void

export interface ForcedPeers {
  readonly peers: readonly PeerId[]
  /** The newest configuration of the log when they were forced: it does not bring them down. */
  readonly since: LogId
  /** The entry that says so, on its way to the disk; null: there is none yet, and a crash forgets what was forced. */
  readonly entry: LogIndex | null
}

export class Reset {
  /** Null: the configuration in force is that of the log, or the one given at start. */
  forced: ForcedPeers | null = null
  /** Everybody who has asked and has not been answered. */
  readonly asked = new Set<AskedReset>()
  /** Those who wait for the disk, each with the end of its patience. */
  readonly waiting = new Map<AskedReset, TimerHandle>()
  /** The verdict on a request, kept while the request is dealt with. */
  verdict: { readonly event: object; readonly verdict: ResetVerdict } | null = null
}
