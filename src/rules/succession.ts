// Whom a leader that leaves tells to campaign at once (braft ReplicatorGroup::find_the_next_candidate).

import { isMember } from './quorum.ts'
import type { Configuration, LogIndex, PeerId } from './types.ts'

export interface Successor {
  readonly peer: PeerId
  readonly matchIndex: LogIndex
  readonly consecutiveErrors: number
}

/** The reachable member with the longest log; among equals the one drawn. Null when nobody would do. */
export function chooseSuccessor(
  configuration: Configuration,
  followers: readonly Successor[],
  drawn: number,
): PeerId | null {
  const fit = followers.filter(
    (f) => f.consecutiveErrors === 0 && f.matchIndex > 0 && isMember(configuration, f.peer),
  )
  const longest = Math.max(...fit.map((f) => f.matchIndex))
  const best = fit.filter((f) => f.matchIndex === longest)
  return best[Math.floor(drawn * best.length)]?.peer ?? null
}
