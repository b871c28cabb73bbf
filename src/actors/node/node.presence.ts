// Whether the process of the followed leader is on the bus at all (rules/presence.ts), for as long as it may matter: until
// somebody else leads.

import { heardRecently, leaderPresumedAliveMs, quorumIsAlive } from '../../rules/lease.ts'
import { isKnownToBeGone, leaderIsAlive } from '../../rules/presence.ts'
import { VOUCH_BEATS } from '../../rules/quiescence.ts'
import type { PeerId } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'

export function watchLeader(core: NodeCore, leader: PeerId): void {
  stopWatching(core)
  const { following, group } = core
  following.leaderTerm = core.term
  following.hasStood = false
  if (core.tuning.leaderLease) return
  const heartbeatMs = (): number => core.heartbeatMs
  const wordMs = (): number =>
    following.sleep === null ? core.heartbeatMs : VOUCH_BEATS * following.sleep.intervalMs()
  const absent = (): void => {
    following.hasStood = false
    core.send({ type: 'leader.absent', leader })
  }
  following.presence = core.input.rpc.watchPresence(leader, { group, heartbeatMs, wordMs, absent })
}

export function stopWatching({ following }: NodeCore): void {
  following.presence?.stop()
  following.presence = null
}

/** Does the bus say that the leader is gone, so that nobody need wait for it? */
export function leaderIsAbsent({ following, leaseTerms }: NodeCore): boolean {
  return isKnownToBeGone(following.lease, leaseTerms.leasesOn, following.presence?.isAbsent ?? false)
}

/** What is left of the time for which the leader is taken to be alive. */
export function presumedAliveMs(core: NodeCore, nowMs: number): number {
  return leaderIsAbsent(core) ? 0 : leaderPresumedAliveMs(core.following.lease, core.leaseTerms, nowMs)
}

/** For whoever is asked for a pre-vote: somebody misses the leader. */
export function hearsOfLeader(core: NodeCore, nowMs: number): boolean {
  const { following, office, tuning, contact } = core
  const leads = office !== null && quorumIsAlive(contact, tuning.electionTimeoutMs, nowMs)
  const heard = heardRecently(following.lease, tuning.electionTimeoutMs, nowMs)
  // Who has no evidence of his own looks for some; he is asked again.
  if (heard) following.presence?.askNow()
  return leaderIsAlive({ leads, heardRecently: heard, knownToBeGone: leaderIsAbsent(core) })
}
