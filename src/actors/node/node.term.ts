// Terms and leaders: taking a newer term, following a leader, forgetting one, and what an event says about them. The
// fields themselves are assigned in node.core.ts.

import type { PeerId, Term } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'
import { ANSWERS, FROM_LEADER, isOneOf, type NodeEvent, RPCS } from './node.events.ts'
import { learnLeader } from './node.handover.ts'
import { leaderIsAbsent, watchLeader } from './node.presence.ts'

/** One word from a closed list, for why an office is left; it appears in events, logs and traces. */
export type StepDownReason =
  | 'HIGHER_TERM_REQUEST'
  | 'HIGHER_TERM_RESPONSE'
  | 'VOTED_FOR_CANDIDATE'
  | 'NEW_LEADER'
  | 'LEADER_CONFLICT'
  | 'VOTE_TIMEOUT'
  | 'ELECTION_TIMEOUT'
  | 'LEADER_ABSENT'
  | 'TIMEOUT_NOW'
  | 'QUORUM_LOST'
  | 'REMOVED'
  | 'RESET_PEERS'
  | 'NODE_FAILED'
  | 'SHUTDOWN'

/** The term to step down to: the event's, if it is higher. */
export function termAfter(core: NodeCore, event: NodeEvent): Term {
  if (event.type === 'term.higher') return Math.max(core.term, event.term)
  if (event.type === 'reset') return core.term + 1
  if (isOneOf(event, ANSWERS)) return Math.max(core.term, event.response.term)
  if (isOneOf(event, RPCS)) return Math.max(core.term, event.message.term)
  return core.term
}

/** Why an office is left, by what was heard. */
export function reasonOf(event: NodeEvent): StepDownReason {
  if (isOneOf(event, FROM_LEADER)) return 'NEW_LEADER'
  if (isOneOf(event, RPCS)) return 'HIGHER_TERM_REQUEST'
  if (isOneOf(event, ANSWERS) || event.type === 'term.higher') return 'HIGHER_TERM_RESPONSE'
  if (event.type === 'timer.vote') return 'VOTE_TIMEOUT'
  if (event.type === 'timer.stepDown') return 'QUORUM_LOST'
  if (event.type === 'change.left') return 'REMOVED'
  if (event.type === 'reset') return 'RESET_PEERS'
  return event.type === 'shutdown' ? 'SHUTDOWN' : 'NODE_FAILED'
}

/** A newer term: no vote in it yet, and what waited to be acknowledged in the older one is refused (trap T25). */
export function takeTerm(core: NodeCore, term: Term, votedFor: PeerId | null = null): number {
  const version = core.adopt(term, votedFor)
  core.toSnapshots({ type: 'cancel' })
  for (const ack of core.following.takeAcks())
    core.answer(ack.reply, { term, success: false, lastLogIndex: core.log.lastIndex })
  return version
}

/** Follows `leader` in the current term. */
export function adoptLeader(core: NodeCore, leader: PeerId, reason: string): void {
  if (core.leader === leader) return
  core.leader = leader
  watchLeader(core, leader)
  core.candidacy.preVote = null
  learnLeader(core, leader)
  core.toApplyQueue({ type: 'startFollowing', change: { leader, term: core.term, reason } })
}

/** The followed leader has been silent for too long, or the bus says that it is gone. */
export const giveUpLeader = (core: NodeCore): void =>
  forgetLeader(core, leaderIsAbsent(core) ? 'LEADER_ABSENT' : 'ELECTION_TIMEOUT')

/** Nobody is known to lead. */
export function forgetLeader(core: NodeCore, reason: string): void {
  if (core.leader !== null && core.leader !== core.id) {
    core.toApplyQueue({ type: 'stopFollowing', change: { leader: core.leader, term: core.term, reason } })
  }
  core.leader = null
}
