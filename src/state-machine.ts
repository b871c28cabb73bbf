// What a user implements, with what Quorate promises about the calls.

import type { Configuration, LogIndex, PeerId, Term } from './rules/types.ts'

/** Where a command stands in the log. */
export interface AppliedPosition {
  readonly index: LogIndex
  readonly term: Term
}

export interface LeaderChange {
  readonly leader: PeerId
  readonly term: Term
  /** Why, in one word from a closed list, for example `ELECTION_TIMEOUT` or `NEW_LEADER`. */
  readonly reason: string
}

/**
 * A replicated state machine.
 *
 * All calls come one at a time, in log order, each index at most once in the life of a process. A member that starts
 * again applies the log from the beginning (or from its newest snapshot), so `apply` must depend on nothing but the
 * state and the command: no clock, no randomness, no I/O whose result matters.
 *
 * What takes long holds up its own group only as far as it must: synchronous code is called for 10 ms at a time
 * (`maxApplySliceMs`), then heartbeats, votes and other groups have their turn; an asynchronous `apply` costs them nothing.
 * Commands and positions are the machine's own to keep and to change.
 *
 * When `apply` throws or rejects, the node stops in its error state: the entries before stay applied, the entry is
 * not skipped, and its caller learns the error.
 *
 * @example
 * class Counter implements StateMachine<{ add: number }, number> {
 *   #total = 0
 *   apply(command: { add: number }) { return (this.#total += command.add) }
 *   read() { return this.#total }
 * }
 */
export interface StateMachine<Command = unknown, Result = unknown, Query = unknown, Answer = unknown> {
  /** Carries out one committed command. What it returns goes to the caller of `node.apply` on the proposing member. */
  apply(command: Command, at: AppliedPosition): Result | Promise<Result>
  /**
   * Answers a query from the current state. Called between applies, never during one. It may be asynchronous: until its
   * promise is settled nothing is applied, so that it never sees half of a change; other queries may run beside it. If
   * commands have waited for it for `maxReadHoldMs` (1,000 ms), its caller gets TIMEOUT and they go on.
   */
  read?(query: Query): Answer | Promise<Answer>
  /** A digest of the whole state, equal on members that applied the same entries. For checks and status. */
  stateHash?(): string
  /** A stable (never a joint) configuration was committed. */
  onConfigurationCommitted?(configuration: Configuration, index: LogIndex): void
  /** Every entry of earlier terms has been applied, and this member leads `term`. */
  onLeaderStart?(term: Term): void
  /** Leadership ended. Also called when it ended before `onLeaderStart` came. */
  onLeaderStop?(reason: string): void
  onStartFollowing?(change: LeaderChange): void
  onStopFollowing?(change: LeaderChange): void
  /** The node entered its error state. At most once. */
  onError?(error: Error): void
  /** The last call. */
  onShutdown?(): void
}
