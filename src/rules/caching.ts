// Which durable entries are worth the memory they take: those that somebody here is about to ask for. What is kept beyond
// that outlives its use, and costs the collector of garbage more than reading it again would.

import type { LogIndex } from './types.ts'

/** How far a follower has got, by what its leader knows. */
export interface FollowerPosition {
  /** The next entry to be sent to it. */
  readonly nextIndex: LogIndex
  /** It holds everything up to here. */
  readonly matchIndex: LogIndex
}

/**
 * The first entry that is still to be applied here, or still to be acknowledged by a follower that is sent from memory. Who
 * is further behind than memory reaches is served from disk and needs none of it, until it has caught up with it.
 *
 * @param appliedIndex the last entry that the state machine has had
 * @param firstCachedIndex where memory begins
 * @param followers of a leader; none of anybody else
 */
export function neededFrom(
  appliedIndex: LogIndex,
  firstCachedIndex: LogIndex,
  followers: Iterable<FollowerPosition>,
): LogIndex {
  let settledIndex = appliedIndex
  for (const { nextIndex, matchIndex } of followers)
    if (nextIndex >= firstCachedIndex) settledIndex = Math.min(settledIndex, matchIndex)
  return settledIndex + 1
}

/** Of what nobody needs a part is kept all the same: who loses a frame, or comes to lead, does not begin with the disk. */
export const SETTLED_SHARE = 1 / 8
