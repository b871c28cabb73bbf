// Where two logs part (paper section 5.3, the optimization at its end): what a follower tells about its log when it
// refuses, and where its leader looks next. One probe per term that only one of the two has, instead of one per entry.

import type { LogIndex, Term } from './types.ts'

/** A follower's log, as far as the rule needs it. */
export interface ConflictingLog {
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Term at an index; of the entry before the first one, too. 0 when unknown. */
  termAt(index: LogIndex): Term
  /** The first index of the run of equal terms that `index` lies in. */
  firstOfTermAt(index: LogIndex): LogIndex
}

/** Of the entry at the refused position, or of the last one when the log ends before it. */
export interface Conflict {
  /** 0: nothing is known. */
  readonly conflictTerm: Term
  /** From here on entries are of `conflictTerm`; before it, of lower terms. */
  readonly conflictIndex: LogIndex
}

export function describeConflict(log: ConflictingLog, prevLogIndex: LogIndex): Conflict {
  const at = Math.min(prevLogIndex, log.lastIndex)
  const conflictTerm = log.termAt(at)
  if (conflictTerm === 0) return { conflictTerm: 0, conflictIndex: 0 }
  if (at < log.firstIndex) return { conflictTerm, conflictIndex: at }
  const first = log.firstOfTermAt(at)
  // The entry before the first is settled, and part of the run as far as anybody can tell.
  const reachesBack = first === log.firstIndex && log.termAt(first - 1) === conflictTerm
  return { conflictTerm, conflictIndex: reachesBack ? first - 1 : first }
}

/** What the leader was told, and by which probe. */
export interface Refusal extends Conflict {
  readonly prevLogIndex: LogIndex
  readonly lastLogIndex: LogIndex
}

/** The last index up to `limit` whose term is at most `term`, in the leader's log; 0 when there is none. */
export type LastOfTermAtMost = (term: Term, limit: LogIndex) => LogIndex

/**
 * The last position of the leader's log where the two may still agree, given the refusal: an entry of the conflicting
 * term within the follower's run of it, or one of a lower term before that run. Every position above is known to
 * differ, so the last one on which they do agree is never passed.
 */
export function lastPossibleMatch(
  refusal: Refusal,
  termAt: (index: LogIndex) => Term,
  lastOf: LastOfTermAtMost,
): LogIndex {
  const { prevLogIndex, lastLogIndex, conflictTerm, conflictIndex } = refusal
  const shared = lastOf(conflictTerm, Math.min(prevLogIndex - 1, lastLogIndex))
  if (shared >= conflictIndex && termAt(shared) === conflictTerm) return shared
  return lastOf(conflictTerm - 1, Math.min(shared, conflictIndex - 1))
}
