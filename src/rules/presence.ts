// Is the host of a leader there at all? The bus knows at once that nobody listens any more ("no responders"), long before
// silence would tell. That is evidence, and justifies asking for votes early; what protects is the votes, not the clocks.

import type { FollowerLease } from './lease.ts'
import { isWitness, members, priorityOf } from './quorum.ts'
import type { Configuration, PeerId } from './types.ts'

/** What is known of a host on the bus. All times are monotonic milliseconds. */
export interface Presence {
  /**
   * When it was last heard, over the connection to the bus that is in use; null: not over this one. Whoever has just come
   * back to the bus is no judge of who is missing there.
   */
  readonly heardMs: number | null
  /** Answers of the bus, in a row, that nobody listens. */
  readonly misses: number
  /** When the last question about it was settled. */
  readonly settledMs: number
}

export const UNKNOWN_PRESENCE: Presence = { heardMs: null, misses: 0, settledMs: 0 }

/** `nobody`: the bus has said so. `unsure`: no answer, or no bus. */
export type ProbeVerdict = 'there' | 'nobody' | 'unsure'

/** In heartbeat intervals: so late a word is asked about. */
const LATE = 0.2
/** In heartbeat intervals: time between two questions, for a connection that only blinks to come back. */
const CONFIRM = 0.5
/** Misses in a row that count as absence. */
const ENOUGH = 2

export function heard(presence: Presence, nowMs: number): Presence {
  return { ...presence, heardMs: nowMs, misses: 0 }
}

/** @param askedMs when it was asked: what was heard since then is newer than a miss */
export function settled(presence: Presence, verdict: ProbeVerdict, askedMs: number, nowMs: number): Presence {
  if (verdict === 'there') return { heardMs: nowMs, misses: 0, settledMs: nowMs }
  const isNews = verdict === 'nobody' && presence.heardMs !== null && presence.heardMs <= askedMs
  return { ...presence, misses: isNews ? presence.misses + 1 : 0, settledMs: nowMs }
}

export function isAbsent({ misses }: Presence): boolean {
  return misses >= ENOUGH
}

/** How a host is heard when all is well. */
export interface Rhythm {
  readonly heartbeatMs: number
  /** So often, which is less when nobody there has anything to say (rules/quiescence.ts). */
  readonly wordMs: number
}

/** When to ask about it next; null: not before it was heard. Once absence is known, as often as it would be heard. */
export function nextProbeMs(
  { heardMs, misses, settledMs }: Presence,
  { heartbeatMs, wordMs }: Rhythm,
): number | null {
  if (heardMs === null) return null
  if (misses >= ENOUGH) return settledMs + wordMs
  if (misses > 0) return settledMs + CONFIRM * heartbeatMs
  return Math.max(heardMs, settledMs) + wordMs + LATE * heartbeatMs
}

/** When it may be asked about early, because somebody else misses it. */
export function mayProbeEarly(
  { heardMs, misses, settledMs }: Presence,
  heartbeatMs: number,
  nowMs: number,
): boolean {
  const lastMs = Math.max(heardMs ?? nowMs, settledMs)
  return misses === 0 && nowMs - lastMs >= CONFIRM * heartbeatMs
}

/**
 * May the leader be regarded as gone before its time is up? With leases on, never: cut off from the bus, it may still answer
 * reads, and its followers have promised to wait.
 */
export function isKnownToBeGone(lease: FollowerLease, leasesOn: boolean, absent: boolean): boolean {
  return absent && !leasesOn && lease.lastLeader !== null && lease.lastContactMs !== null
}

/** Does this voter hold a pre-vote back for the sake of a leader? Its own office, or one that it hears and does not know to be gone. */
export function leaderIsAlive(voter: {
  /** It leads, and a quorum answers it. */
  readonly leads: boolean
  /** Within the last election timeout. */
  readonly heardRecently: boolean
  readonly knownToBeGone: boolean
}): boolean {
  return voter.leads || (voter.heardRecently && !voter.knownToBeGone)
}

/** A heartbeat has room for so many turns: in one a campaign comes to all the others. */
const TURNS = 5

export interface Successor {
  readonly self: PeerId
  /** Whom it followed. */
  readonly lost: PeerId | null
  /** It takes no commands, so that a group which it leads takes none. */
  readonly isReadonly: boolean
  readonly group: string
  /** How many groups have lost their leader here, with this host. */
  readonly groupsLost: number
  /** It has had its turn, and others have not answered yet, or did not know what it knows. */
  readonly asksAgain: boolean
}

/** So long one election takes among many: whoever is second in line waits until those who are first have had time. */
const MS_PER_GROUP = 4
/** In heartbeat intervals: so long at most those who are asked may take to answer all groups, before they are asked again. */
const ASK_AGAIN = 2

/** Differs from group to group, so that not all have the same first successor. */
function shiftOf(group: string): number {
  let hash = 0
  for (let i = 0; i < group.length; i++) hash = (hash * 31 + group.charCodeAt(i)) >>> 0
  return hash
}

/**
 * How long a follower waits that knows its leader to be gone. They all learn it at about the same time, so each stands in its
 * turn: those of higher priority first, equals by name, and who is read-only last. When many groups have lost the same host,
 * the names begin elsewhere in each, so that the survivors share them, and turns are longer: elections take their time. So do
 * answers: whoever asked again before they can be there would make them worthless, and more of them.
 *
 * @param drawn in [0, 1): keeps those apart who count their turns from different configurations
 */
export function successionDelayMs(
  configuration: Configuration,
  { self, lost, isReadonly, group, groupsLost, asksAgain }: Successor,
  heartbeatMs: number,
  drawn: number,
): number {
  const names = members(configuration)
    .filter((peer) => peer !== lost && !isWitness(configuration, peer) && priorityOf(configuration, peer) > 0)
    .sort()
  const shift = groupsLost > 1 ? shiftOf(group) % Math.max(1, names.length) : 0
  const shifted = [...names.slice(shift), ...names.slice(0, shift)]
  const order = shifted.sort((a, b) => priorityOf(configuration, b) - priorityOf(configuration, a))
  const at = order.indexOf(self)
  const turn = at < 0 || isReadonly ? order.length : at
  const turnMs = heartbeatMs / TURNS
  const allMs = groupsLost * MS_PER_GROUP
  const ownMs = asksAgain ? Math.max(turnMs, Math.min(allMs, ASK_AGAIN * heartbeatMs)) : turnMs
  return Math.ceil((1 + drawn / 2) * ownMs + turn * Math.max(turnMs, allMs))
}
