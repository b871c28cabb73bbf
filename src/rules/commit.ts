// What is committed, and why not yet (paper sections 5.3, 5.4.2 and 6; braft BallotBox).

import { quorumValue } from './quorum.ts'
import type { Configuration, LogIndex, PeerId } from './types.ts'

/**
 * From `firstIndex` on, up to the next segment, entries were appended under `configuration`. A ballot stays bound to
 * the configuration of its time; a configuration entry is judged by the one it brings (trap T38).
 */
export interface BallotSegment {
  readonly firstIndex: LogIndex
  readonly configuration: Configuration
}

export interface PendingLog {
  /** First index that this leader may commit by counting: the first entry of its own term (paper section 5.4.2). */
  readonly pendingIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
  /** Ascending; the first one covers `pendingIndex`. */
  readonly segments: readonly BallotSegment[]
}

/**
 * The new commit index. Entries of earlier terms are never counted, they commit with one of the leader's own
 * (figure 8). The highest granted index commits all before it: after the membership has shrunk, a later entry can
 * need fewer votes than an earlier one (trap T37).
 *
 * @param matchOf durable index known of a member; the leader's own is what *its* disk has confirmed.
 */
export function decideCommit(pending: PendingLog, matchOf: (peer: PeerId) => LogIndex): LogIndex {
  let commit = pending.commitIndex
  pending.segments.forEach((segment, i) => {
    const end = (pending.segments[i + 1]?.firstIndex ?? pending.lastIndex + 1) - 1
    const begin = Math.max(segment.firstIndex, pending.pendingIndex)
    const reached = Math.min(quorumValue(segment.configuration, matchOf), end)
    if (reached >= begin && reached > commit) commit = reached
  })
  return commit
}

/** Segments that still matter once everything up to `commitIndex` is committed. */
export function settledSegments(
  segments: readonly BallotSegment[],
  commitIndex: LogIndex,
): readonly BallotSegment[] {
  const firstOpen = segments.findIndex(
    (_, i) => (segments[i + 1]?.firstIndex ?? Number.POSITIVE_INFINITY) > commitIndex + 1,
  )
  return firstOpen <= 0 ? segments : segments.slice(firstOpen)
}
