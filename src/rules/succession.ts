// Whom a leader that leaves tells to campaign at once (braft ReplicatorGroup::find_the_next_candidate).

import { isMember, isWitness, priorityOf } from './quorum.ts'
import type { Configuration, LogIndex, PeerId } from './types.ts'

export interface Successor {
  readonly peer: PeerId
  readonly matchIndex: LogIndex
  readonly consecutiveErrors: number
}

/**
 * The reachable member with the longest log; among those the ones of the highest priority, among equals the one drawn.
 * Nobody that never leads: a witness, or a member of priority 0. Null when nobody would do.
 */
export function chooseSuccessor(
  configuration: Configuration,
  followers: readonly Successor[],
  drawn: number,
): PeerId | null {
  const fit = followers.filter(
    (f) => f.consecutiveErrors === 0 && f.matchIndex > 0 && mayLead(configuration, f.peer),
  )
  const longest = Math.max(...fit.map((f) => f.matchIndex))
  const upToDate = fit.filter((f) => f.matchIndex === longest)
  const highest = Math.max(...upToDate.map((f) => priorityOf(configuration, f.peer)))
  const best = upToDate.filter((f) => priorityOf(configuration, f.peer) === highest)
  return best[Math.floor(drawn * best.length)]?.peer ?? null
}

function mayLead(configuration: Configuration, peer: PeerId): boolean {
  return (
    isMember(configuration, peer) && !isWitness(configuration, peer) && priorityOf(configuration, peer) > 0
  )
}
