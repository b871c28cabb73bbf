// Leases and check-quorum: how long a promise to a leader lasts, and how long a leader may rely on it
// (thesis sections 6.2 and 6.4.1; braft FollowerLease, LeaderLease). All times are monotonic milliseconds.

import { hasQuorum, quorumValue } from './quorum.ts'
import type { Configuration, PeerId } from './types.ts'

export interface LeaseTerms {
  readonly electionTimeoutMs: number
  readonly maxClockDriftMs: number
  /** `leaderLease`: votes are held back by leases only when it is on. */
  readonly leasesOn: boolean
}

/** When a follower last heard from a leader it accepted; null: owes nothing to anybody. */
export interface FollowerLease {
  readonly lastLeader: PeerId | null
  readonly lastContactMs: number | null
}

export const NO_FOLLOWER_LEASE: FollowerLease = { lastLeader: null, lastContactMs: null }

/** Time until this follower may regard its leader as gone. Holds whether leases are on or off (trap T1). */
export function leaderPresumedAliveMs(lease: FollowerLease, terms: LeaseTerms, nowMs: number): number {
  if (lease.lastContactMs === null) return 0
  return Math.max(0, lease.lastContactMs + terms.electionTimeoutMs + terms.maxClockDriftMs - nowMs)
}

/** Has the leader been heard within the last election timeout? Then there is nothing to elect (thesis section 4.2.3). */
export function heardRecently(lease: FollowerLease, electionTimeoutMs: number, nowMs: number): boolean {
  return lease.lastContactMs !== null && nowMs - lease.lastContactMs < electionTimeoutMs
}

/** Time for which this follower's vote is still promised to a leader (braft votable_time_from_now). */
export function owesVoteForMs(lease: FollowerLease, terms: LeaseTerms, nowMs: number): number {
  return terms.leasesOn ? leaderPresumedAliveMs(lease, terms, nowMs) : 0
}

export interface QuorumContact {
  readonly configuration: Configuration
  readonly self: PeerId
  /** Send time of the newest request that this member answered; the leader's own is now (trap T23). */
  contactMs(peer: PeerId): number
}

/**
 * Since when a quorum has been in touch: the send time of the request whose answer completed it. Counts the leader
 * only where it is a member (trap T21), and both halves while joint.
 */
export function quorumContactMs(contact: QuorumContact, nowMs: number): number {
  return quorumValue(contact.configuration, (peer) =>
    peer === contact.self ? nowMs : contact.contactMs(peer),
  )
}

/** Check-quorum: did a quorum answer something sent within the last election timeout? If not, step down. */
export function quorumIsAlive(contact: QuorumContact, electionTimeoutMs: number, nowMs: number): boolean {
  return hasQuorum(
    contact.configuration,
    (peer) => peer === contact.self || nowMs - contact.contactMs(peer) <= electionTimeoutMs,
  )
}

export interface QuorumPatience {
  readonly electionTimeoutMs: number
  /** How long everybody may take to answer when this member is the one that was away. */
  readonly roundMs: number
}

/** `late`: not in touch, but it was this member that slept; ask everybody and judge again after one round. */
export type QuorumVerdict = 'alive' | 'late' | 'lost'

/**
 * Check-quorum for a member that may have been held up (stopped, swapped out, in a long collection). A leader that
 * slept for more than the election timeout has heard nobody, and yet nobody need have missed it: followers wait for
 * timeout + drift. It asks once before it leaves. Nothing but liveness hangs on it: lease reads look at
 * `leaderLeaseValid`, which knows no such patience.
 *
 * @param heldUpUntilMs when this member was last found to run late; -Infinity: never
 */
export function judgeQuorum(
  contact: QuorumContact,
  { electionTimeoutMs, roundMs }: QuorumPatience,
  nowMs: number,
  heldUpUntilMs: number,
): QuorumVerdict {
  if (quorumIsAlive(contact, electionTimeoutMs, nowMs)) return 'alive'
  return nowMs - heldUpUntilMs < roundMs ? 'late' : 'lost'
}

/**
 * May the leader answer reads without asking? Followers hold their votes back for timeout + drift after *receiving*;
 * the leader trusts only timeout after *sending* (braft LeaderLease).
 *
 * @param sinceMs contact before this time counts no more: a lease that was given up is not taken up again
 */
export function leaderLeaseValid(
  contact: QuorumContact,
  terms: LeaseTerms,
  nowMs: number,
  sinceMs = Number.NEGATIVE_INFINITY,
): boolean {
  return terms.leasesOn && nowMs < leaderLeaseUntilMs(contact, terms, nowMs, sinceMs)
}

/**
 * Until when the voters hold their votes back, as far as the leader knows: an election timeout after *sending* what a
 * quorum has answered. Grows with every answer. With leases off nothing binds the voters; they wait as long by habit.
 */
export function leaderLeaseUntilMs(
  contact: QuorumContact,
  { electionTimeoutMs }: LeaseTerms,
  nowMs: number,
  sinceMs = Number.NEGATIVE_INFINITY,
): number {
  const contactMs = quorumContactMs(contact, nowMs)
  return contactMs >= sinceMs ? contactMs + electionTimeoutMs : Number.NEGATIVE_INFINITY
}
