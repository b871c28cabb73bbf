// The narrow door of configuration changes: all that they need of the node that leads.

import type { QuorateError, QuorateErrorCode, QuorateErrorDetails } from '../../errors.ts'
import type { Tuning } from '../../options.ts'
import type { ChangeWish, Readiness } from '../../rules/change.ts'
import type { Configuration, ConfigurationEntry, LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { PeerProgress } from '../replication/peer-progress.ts'

export type ChangeOutcome =
  | { readonly ok: true; readonly configuration: ConfigurationEntry }
  | { readonly ok: false; readonly error: QuorateError }

/** Somebody wishes other members. `settle` is called exactly once. */
export interface AskedChange {
  readonly wish: ChangeWish
  /** The members that the caller has seen; undefined: whoever they are. */
  readonly expect?: readonly PeerId[] | undefined
  settle(outcome: ChangeOutcome): void
}

/** What a change tells the node. */
export type ChangeReport =
  /** Others are to be sent the log now than before. */
  | { readonly type: 'followers.due'; readonly term: Term }
  /** The leader is not among those who vote any more. */
  | { readonly type: 'change.left'; readonly term: Term }

export interface ChangeWorld {
  readonly group: string
  readonly id: PeerId
  /** Of this leadership. */
  readonly term: Term
  readonly clock: Pick<Clock, 'nowMs'>
  readonly tuning: Tuning
  readonly heartbeatMs: number
  readonly logger: Logger
  readonly configuration: ConfigurationEntry
  readonly commitIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly readiness: Readiness
  /** What is known of a follower; undefined: it is none yet. */
  progressOf(peer: PeerId): PeerProgress | undefined
  /** Whoever of them had left begins anew: what is known of him is of the files that he had then. */
  readmit(peers: readonly PeerId[]): void
  /** Appends it: it is in force from here on. */
  propose(configuration: Configuration): void
  /** Tells every follower, now, what is committed. */
  beat(): void
  error(code: QuorateErrorCode, message: string, details?: QuorateErrorDetails): QuorateError
  shelter(run: () => unknown): void
  send(report: ChangeReport): void
}
