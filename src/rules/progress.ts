// What a leader believes about a follower's log, and how it corrects itself (paper section 5.3).

import type { LogIndex } from './types.ts'

/** Where a new leader begins to probe: just after its own last entry. */
export function firstProbe(lastIndex: LogIndex): LogIndex {
  return lastIndex + 1
}

/**
 * The next index to try after a refusal. The follower's last index shortens the search; below what it has
 * acknowledged (`matchIndex`) there is nothing to look for, unless its disk was wiped, which its hint reveals.
 */
export function backOff(nextIndex: LogIndex, followerLastIndex: LogIndex): LogIndex {
  const hinted = followerLastIndex + 1
  return Math.max(1, hinted < nextIndex ? hinted : nextIndex - 1)
}

/** Room left in the window of frames, entries being bounded by bytes. */
export interface Window {
  readonly frames: number
  readonly bytes: number
}

export function maySend(inFlight: Window, limit: Window): boolean {
  return inFlight.frames < limit.frames && (inFlight.frames === 0 || inFlight.bytes < limit.bytes)
}
