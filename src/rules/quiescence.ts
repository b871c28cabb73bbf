// When does a group go to sleep? Once nothing is left to say in it: the follower holds everything, durably, and knows that it
// is committed. From then on the two hosts vouch for it, with one message for all groups that they share.

import { standingOf } from './identity.ts'
import { isWitness, members, priorityOf } from './quorum.ts'
import type { Configuration, Identity, LogIndex, PeerId, Term } from './types.ts'

/** A heartbeat to one follower is due: what the leader knows. */
export interface DueHeartbeat {
  /** This host carries other groups too, so that there is something to share. */
  readonly sharesProcess: boolean
  /** A lease rests on what each member itself has promised: it cannot be vouched for by its host. */
  readonly leasesOn: boolean
  /** Nothing is going on in this leadership that is not in the log. */
  readonly isSettled: boolean
  /** All that was sent to the follower is answered, and nothing has failed since. */
  readonly isQuiet: boolean
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly matchIndex: LogIndex
  /** As far as the follower was told, and has confirmed to have heard, what is committed. */
  readonly toldIndex: LogIndex
  /** Heartbeats in a row that found nothing to say. */
  readonly calmBeats: number
  /** Milliseconds since the sending of the newest that it has answered. */
  readonly silentMs: number
  readonly heartbeatMs: number
  /** AppendEntries sent since the last heartbeat was due. */
  readonly framesSince: number
}

/** `skip`: what is sent anyway tells the follower the same. */
export type HeartbeatVerdict = 'beat' | 'skip' | 'sleep'

/** So many heartbeats in a row find nothing to say before a group is taken to be idle. */
export const CALM_BEATS = 5

/** Nothing is left to say to this follower. */
export function isCalm(due: DueHeartbeat): boolean {
  const { lastIndex, commitIndex, matchIndex, toldIndex } = due
  const isTold = commitIndex === lastIndex && toldIndex === lastIndex && matchIndex === lastIndex
  return isTold && due.isSettled && due.isQuiet
}

/**
 * A frame is as good as a heartbeat, as long as frames follow each other so that the next one tells what is committed by
 * now. Whoever is alone in its host beats as it always did.
 */
export function judgeHeartbeat(due: DueHeartbeat): HeartbeatVerdict {
  if (!due.sharesProcess) return 'beat'
  if (!due.leasesOn && due.calmBeats >= CALM_BEATS && isCalm(due)) return 'sleep'
  const isHeard = due.silentMs < due.heartbeatMs
  const isTold = due.toldIndex >= due.commitIndex || due.framesSince > 1
  return isHeard && isTold && due.framesSince > 0 ? 'skip' : 'beat'
}

/** A leadership whose group may be idle. */
export interface Leadership {
  readonly configuration: Configuration
  readonly self: PeerId
  readonly isTransferring: boolean
  readonly waitingReads: number
  /** Members come or go, or are still told that they have left. */
  readonly isChanging: boolean
  /** Whoever is sent the log, and which files he says are his. */
  readonly followers: readonly { readonly peer: PeerId; readonly identity: Identity }[]
}

/**
 * Nothing goes on that is not in the log, and nothing is to come that check-quorum would have to bring: files to be recorded,
 * members that leave, somebody who should lead in this one's place.
 */
export function isSettled(leadership: Leadership): boolean {
  const { configuration, self, isTransferring, waitingReads, isChanging, followers } = leadership
  if (isTransferring || waitingReads > 0 || isChanging) return false
  const own = priorityOf(configuration, self)
  const leadsByRight = members(configuration).every(
    (peer) => isWitness(configuration, peer) || priorityOf(configuration, peer) <= own,
  )
  const areKnown = followers.every(
    ({ peer, identity }) => standingOf(configuration, peer, identity) === 'known',
  )
  return leadsByRight && areKnown && Object.keys(configuration.newcomers ?? {}).length === 0
}

/** A leader asks a follower to sleep: the position that both are at. */
export interface SleepTerms {
  readonly leader: string
  readonly term: Term
  readonly lastIndex: LogIndex
}

/** The follower that is asked. */
export interface Sleeper {
  /** Follows this leader in this term, and seeks no election. */
  readonly leader: string | null
  readonly term: Term
  readonly leasesOn: boolean
  readonly lastIndex: LogIndex
  readonly durableIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly isInstalling: boolean
  /** Its last answer to a heartbeat said of it what is true now: that it takes commands, or that it does not. */
  readonly isUnderstood: boolean
}

/** May this follower take the word of its leader's host for its leader's? */
export function mayFallAsleep(self: Sleeper, terms: SleepTerms): boolean {
  const { lastIndex } = terms
  const isSame = self.lastIndex === lastIndex && self.durableIndex === lastIndex
  const isOver = self.leasesOn || self.isInstalling || self.commitIndex !== lastIndex || !self.isUnderstood
  return self.leader === terms.leader && self.term === terms.term && isSame && !isOver
}

/**
 * Does a follower that sleeps still? Asked at every message of its leader's host, of each that sleeps. Entries come and go
 * meanwhile: what the host vouches for is that they are sent by a leader that is there.
 */
export function sleepsOn(
  self: { readonly leader: string | null; readonly term: Term },
  terms: Pick<SleepTerms, 'leader' | 'term'>,
): boolean {
  return self.leader === terms.leader && self.term === terms.term
}

/** What a leader sees of a follower that sleeps. */
export interface SleepingFollower {
  /** Requests in a row that it did not answer. */
  readonly consecutiveErrors: number
  /** Since when it has owed an answer to a frame; null: it owes none. */
  readonly owesSinceMs: number | null
}

/** Does it keep up? One that does not is watched as if it had never slept. */
export function keepsUp(follower: SleepingFollower, electionTimeoutMs: number, nowMs: number): boolean {
  const { consecutiveErrors, owesSinceMs } = follower
  return consecutiveErrors === 0 && (owesSinceMs === null || nowMs - owesSinceMs < electionTimeoutMs)
}

/** A follower that sleeps is to be told what is committed: nothing else tells it soon. */
export function isToBeTold({
  toldIndex,
  commitIndex,
  framesSince,
}: Pick<DueHeartbeat, 'toldIndex' | 'commitIndex' | 'framesSince'>): boolean {
  return toldIndex < commitIndex && framesSince <= 1
}

/** In intervals of sleep: so often two hosts vouch for those who sleep. Nobody waits for what they would say. */
export const VOUCH_BEATS = 4
/** In intervals of sleep: after such a silence nobody sleeps on the word of the other host any longer. One word may be lost. */
export const SILENT_BEATS = 10

/** The interval of sleep: that of heartbeats, but silence is noticed within an election timeout however seldom they come. */
export function sleepIntervalMs(heartbeatMs: number, electionTimeoutMs: number): number {
  return Math.min(heartbeatMs, electionTimeoutMs / SILENT_BEATS)
}
