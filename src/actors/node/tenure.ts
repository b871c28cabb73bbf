// What others may do for as long as a member leads, and how they are kept from doing it longer: the door for those who hold
// something by its leadership.

import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'

/** Whoever does something for as long as this member leads. */
export interface Holder {
  /** Leadership may have begun: ask. */
  changed(): void
  /** It is over, or on its way to another member. When this returns, nothing relies on it any more. */
  lost(): void
  /** It is about to be given away. `done` is to be called once nothing relies on it, and in bounded time. */
  yields(done: () => void): void
}

/** A leadership that is established, and that nobody was told to take over. */
export interface Tenure {
  readonly term: Term
  /** Of the first entry of the term. It is committed, and applied here. */
  readonly index: LogIndex
  /** From when on nobody relies on an earlier leadership any more. */
  readonly fromMs: number
  /** Until when nobody else leads, as far as is known now; grows with every answer of the others. */
  readonly untilMs: number
  /** It is about to be given away, or the node is about to close: nothing is to be begun on it. */
  readonly leaving: boolean
}

export interface LeadershipDoor {
  readonly group: string
  readonly id: PeerId
  readonly clock: Clock
  readonly electionTimeoutMs: number
  readonly heartbeatMs: number
  /** Whether votes are held back by leases, here at least: else `untilMs` is what usually is. */
  readonly leasesOn: boolean
  /** Null: this member does not lead, or not yet. */
  tenure(): Tenure | null
  /** Returns the function that ends it. */
  hold(holder: Holder): () => void
  /** Writes down what a stranger's code threw. */
  report(during: 'FAREWELL' | 'STOP' | 'WAITING' | 'LISTENER', thrown: unknown): void
}

/** Where a node keeps the door: no name that a node of somebody else's making could have by chance. */
export const LEADERSHIP_DOOR: unique symbol = Symbol.for('quorate.leadership-door')
