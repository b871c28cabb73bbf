// Accept, trim and accept, or refuse an AppendEntries (paper figure 2 and section 5.3).

import type { LogId, LogIndex, Term } from './types.ts'

/** What the follower's log looks like, as far as the rule needs it. */
export interface FollowerLog {
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
  /** Term at an index, 0 when unknown (not there, or compacted). Index 0 has term 0. */
  termAt(index: LogIndex): Term
}

export interface AppendFrame {
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  /** Contiguous from `prevLogIndex + 1`. */
  readonly entries: readonly { readonly term: Term }[]
}

export type AppendDecision =
  | {
      readonly kind: 'accept'
      /** Remove everything after this index first; null when nothing conflicts. */
      readonly truncateAfter: LogIndex | null
      /** How many of the frame's entries are there already. */
      readonly skip: number
      /** The follower's log equals the leader's up to here, once durable. */
      readonly matchIndex: LogIndex
    }
  | { readonly kind: 'mismatch'; readonly reason: 'GAP' | 'TERM_CONFLICT' }
  | { readonly kind: 'violation'; readonly index: LogIndex; readonly detail: string }

/**
 * The consistency check and conflict resolution of AppendEntries.
 *
 * Everything up to the commit index (or below the first index, which a snapshot covers) is settled: the sender, being
 * leader of a current term, has the same entries (leader completeness, paper section 5.4.3), so they are skipped and
 * never compared as if they were missing (trap T42). If they can be compared and differ, safety is already broken
 * somewhere, and the node must stop rather than truncate.
 *
 * Entries after the first conflicting term go (paper 5.3); entries that merely reach beyond the frame stay, for a
 * late or repeated frame must not undo a newer one (trap T43, INV-12).
 */
export function decideAppend(log: FollowerLog, frame: AppendFrame): AppendDecision {
  const { prevLogIndex, prevLogTerm, entries } = frame
  const matchIndex = prevLogIndex + entries.length
  const settled = Math.max(log.commitIndex, log.firstIndex - 1)
  if (prevLogIndex > log.lastIndex) return { kind: 'mismatch', reason: 'GAP' }
  const prevTerm = log.termAt(prevLogIndex)
  if (prevLogIndex > settled && prevTerm !== prevLogTerm) return { kind: 'mismatch', reason: 'TERM_CONFLICT' }
  if (prevLogIndex <= settled && prevTerm !== 0 && prevTerm !== prevLogTerm) {
    return violation(prevLogIndex, prevLogTerm, prevTerm)
  }
  // The usual frame continues the log: nothing to compare.
  if (prevLogIndex === log.lastIndex) return { kind: 'accept', truncateAfter: null, skip: 0, matchIndex }
  for (let i = 0; i < entries.length; i++) {
    const index = prevLogIndex + 1 + i
    if (index > log.lastIndex) return { kind: 'accept', truncateAfter: null, skip: i, matchIndex }
    const mine = log.termAt(index)
    const theirs = entries[i]?.term ?? 0
    if (mine === theirs || (mine === 0 && index <= settled)) continue
    if (index <= settled) return violation(index, theirs, mine)
    return { kind: 'accept', truncateAfter: index - 1, skip: i, matchIndex }
  }
  return { kind: 'accept', truncateAfter: null, skip: entries.length, matchIndex }
}

function violation(index: LogIndex, theirs: Term, mine: Term): AppendDecision {
  return {
    kind: 'violation',
    index,
    detail: `the leader has term ${theirs} at index ${index}, which is committed here with term ${mine}`,
  }
}

/**
 * Whether the logs agree at a position that a leader names. What is compacted here is settled, as for `decideAppend`: a
 * leader of a current term has the same entries, and must not be taken for one that has lost its log.
 */
export function agreesAt(log: Omit<FollowerLog, 'commitIndex'>, { index, term }: LogId): boolean {
  if (index > log.lastIndex) return false
  const mine = log.termAt(index)
  return mine === term || (mine === 0 && index < log.firstIndex)
}

/** A follower may commit what the leader committed, as far as this frame verified the log (trap T26, INV-10). */
export function followerCommitIndex(current: LogIndex, leaderCommit: LogIndex, verified: LogIndex): LogIndex {
  return Math.max(current, Math.min(leaderCommit, verified))
}
