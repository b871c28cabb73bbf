// The doctor's look at who hears whom, by each member's own word: a way that is cut in one direction is seen here alone,
// for all of them answer the doctor.

import type { GroupStatus } from '../../client.ts'
import type { NodeStatus } from '../../status.ts'
import { type Finding, fine, warning } from './finding.ts'

/** When a member of an older version does not tell its timeouts. */
const DEFAULT_SILENCE_MS = 2000

/** `listener` has heard nothing of `speaker` for too long, though both answer. */
interface Silence {
  readonly listener: string
  readonly speaker: string
}

/** Between a leader and its followers, which is where something is said all the time. */
export function silencesOf({ members, leader: leaderId }: GroupStatus): readonly Silence[] {
  const leader = members.find(({ id, role }) => id === leaderId && role === 'leader')
  if (leader === undefined) return []
  const others = members.filter(({ id }) => id !== leader.id)
  const silentMs = patienceMs(leader)
  return others.flatMap((member): Silence[] => {
    const seen = leader.replicators.find(({ peer }) => peer === member.id)
    // Nobody sends anything to whoever is no member, or not yet.
    if (seen === undefined) return []
    const back = seen.lastContactMs === null || seen.lastContactMs > silentMs
    const there = member.leader !== leader.id || (member.leaderContactMs ?? 0) > patienceMs(member)
    return [
      ...(back ? [{ listener: leader.id, speaker: member.id }] : []),
      ...(there ? [{ listener: member.id, speaker: leader.id }] : []),
    ]
  })
}

function patienceMs({ settings }: NodeStatus): number {
  return settings === null ? DEFAULT_SILENCE_MS : settings.electionTimeoutMs + settings.maxClockDriftMs
}

/** @param seenTwice what was so, and still was a while later: an election is no cut. */
export function checkReach(seenTwice: readonly Silence[], { leader }: GroupStatus): readonly Finding[] {
  const check = 'reach'
  if (leader === null)
    return [fine(check, 'Without a leader nobody says anything that others should have heard.')]
  if (seenTwice.length === 0)
    return [fine(check, 'The leader hears every member that answers, and is heard.')]
  return seenTwice.flatMap(({ listener, speaker }) => {
    const isMutual = seenTwice.some((other) => other.listener === speaker && other.speaker === listener)
    if (isMutual && speaker < listener) return []
    const says = isMutual
      ? `${listener} and ${speaker} hear nothing of each other`
      : `${listener} hears nothing of ${speaker}, while ${speaker} hears ${listener}`
    return [
      warning(
        check,
        `${says}, though both answer here: compare what their users may say and hear with quorate permissions, and look for ${isMutual ? 'servers of the bus that are not connected' : `"Dropped a message" in the log of ${listener}`}.`,
      ),
    ]
  })
}

export function both(first: readonly Silence[], second: readonly Silence[]): readonly Silence[] {
  return first.filter((one) =>
    second.some(({ listener, speaker }) => listener === one.listener && speaker === one.speaker),
  )
}
