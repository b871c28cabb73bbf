// Leadership on its way to another member: what the office keeps of it, and who waits to hear where it has got to, which
// may be longer than the office lasts.

import type { QuorateError } from '../../errors.ts'
import type { TransferVerdict } from '../../rules/transfer.ts'
import type { PeerId, Term } from '../../rules/types.ts'
import type { TimerHandle } from '../../runtime/clock.ts'

export type TransferOutcome =
  | { readonly ok: true; readonly leader: PeerId; readonly term: Term }
  | { readonly ok: false; readonly error: QuorateError }

export type AskedTransfer = (outcome: TransferOutcome) => void

/** Part of an office: exists while a transfer runs in it. */
export interface Transfer {
  readonly target: PeerId
}

/** Whoever asked for a transfer that was begun, and wants to know who leads then. */
export interface Waiting {
  readonly target: PeerId
  /** In which the transfer began: a leader of a later one ends it. */
  readonly term: Term
  readonly asked: AskedTransfer
  /** Ends the waiting when nobody is known to lead. */
  readonly timer: TimerHandle
}

export class Handover {
  /** Everybody who has asked for a transfer and has not been answered. */
  readonly asked = new Set<AskedTransfer>()
  /** Everybody who has asked for an election and has not been answered. */
  readonly votes = new Set<(error: QuorateError | null) => void>()
  /** The transfer that was begun last, until its outcome is known. */
  waiting: Waiting | null = null
  /** The verdict on a request, kept while the request is dealt with. */
  verdict: { readonly event: object; readonly verdict: TransferVerdict } | null = null
}
