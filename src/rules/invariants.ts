// What must always hold of a node's own state, asserted in production. A violation stops the node and keeps the
// evidence: a halted node is safe, a confused one is not.

import type { HardState, LogIndex } from './types.ts'

/** A broken invariant: the node enters its error state, its data stay as they are. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
  readonly invariant: string
  constructor(invariant: string, evidence: string) {
    super(
      `Invariant "${invariant}" is broken: ${evidence}. The node stops; keep its data directory for analysis.`,
    )
    this.invariant = invariant
  }
}

/** The term never decreases, and within a term the vote, once given, stays (paper figure 2). */
export function assertHardStateStep(from: HardState, to: HardState): void {
  if (to.term < from.term)
    throw new InvariantError('monotone term', `term ${from.term} would become ${to.term}`)
  if (to.term === from.term && from.votedFor !== null && to.votedFor !== from.votedFor) {
    throw new InvariantError(
      'one vote per term',
      `in term ${to.term} the vote for ${from.votedFor} would become one for ${to.votedFor ?? 'nobody'}`,
    )
  }
}

/** The commit index never decreases and stays within the log. */
export function assertCommitStep(from: LogIndex, to: LogIndex, lastIndex: LogIndex): void {
  if (to < from) throw new InvariantError('monotone commit', `commit index ${from} would become ${to}`)
  if (to > lastIndex) {
    throw new InvariantError(
      'commit within the log',
      `commit index ${to} is beyond the last index ${lastIndex}`,
    )
  }
}

/** Committed entries are never removed (state machine safety, paper section 5.4.3). */
export function assertTruncation(lastKept: LogIndex, commitIndex: LogIndex): void {
  if (lastKept < commitIndex) {
    throw new InvariantError(
      'no truncation below commit',
      `entries after ${lastKept} would be removed although ${commitIndex} is committed`,
    )
  }
}
