// Whom a leader that leaves tells to campaign at once (braft ReplicatorGroup::find_the_next_candidate).

import { isMember, isWitness, priorityOf } from './quorum.ts'
import type { Configuration, LogIndex, PeerId } from './types.ts'

export interface Successor {
  readonly peer: PeerId
  readonly matchIndex: LogIndex
  readonly consecutiveErrors: number
  /** It would take no commands: the last choice. */
  readonly isReadonly: boolean
}

/**
 * The reachable member with the longest log; among those the ones of the highest priority, among equals the one drawn.
 * Nobody that never leads: a witness, or a member of priority 0; nobody that is read-only as long as others would do.
 * Null when nobody would.
 */
export function chooseSuccessor(
  configuration: Configuration,
  followers: readonly Successor[],
  drawn: number,
): PeerId | null {
  const fit = followers.filter(
    (f) => f.consecutiveErrors === 0 && f.matchIndex > 0 && mayLead(configuration, f.peer),
  )
  const writable = fit.filter((f) => !f.isReadonly)
  const able = writable.length > 0 ? writable : fit
  const longest = Math.max(...able.map((f) => f.matchIndex))
  const upToDate = able.filter((f) => f.matchIndex === longest)
  const highest = Math.max(...upToDate.map((f) => priorityOf(configuration, f.peer)))
  const best = upToDate.filter((f) => priorityOf(configuration, f.peer) === highest)
  return best[Math.floor(drawn * best.length)]?.peer ?? null
}

function mayLead(configuration: Configuration, peer: PeerId): boolean {
  return (
    isMember(configuration, peer) && !isWitness(configuration, peer) && priorityOf(configuration, peer) > 0
  )
}
