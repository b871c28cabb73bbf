// Leaving an office, in braft's order (STEP_DOWN, section 4.2): end the role's own work, forget the leader, then take
// the higher term. Whoever follows the old leader is told with the old term (trap T17).

import type { AnyActorRef } from 'xstate'
import type { PeerId, Term } from '../../rules/types.ts'
import type { Closure } from '../apply/closures.ts'
import type { NodeCore } from './node.core.ts'
import { succeed } from './node.succession.ts'

export interface StepDown {
  readonly term: Term
  /** One word from a closed list; it appears in events, logs and traces. */
  readonly reason: StepDownReason
}

export type StepDownReason =
  | 'HIGHER_TERM_REQUEST'
  | 'HIGHER_TERM_RESPONSE'
  | 'VOTED_FOR_CANDIDATE'
  | 'NEW_LEADER'
  | 'LEADER_CONFLICT'
  | 'VOTE_TIMEOUT'
  | 'ELECTION_TIMEOUT'
  | 'TIMEOUT_NOW'
  | 'QUORUM_LOST'
  | 'NODE_FAILED'
  | 'SHUTDOWN'

/** Reasons for which a leader that leaves names its successor, so that nobody has to wait (section 10.8). */
const HANDING_OVER: readonly StepDownReason[] = ['NODE_FAILED', 'SHUTDOWN']

/** Returns the actors that end with the office. */
export function stepDown(core: NodeCore, { term, reason }: StepDown): readonly AnyActorRef[] {
  const wasLeader = core.role === 'leader'
  core.reason = reason
  core.preVote = null
  core.vote = null
  core.versions++
  if (wasLeader && HANDING_OVER.includes(reason)) succeed(core)
  const retired = wasLeader ? leaveLeadership(core, reason) : []
  forgetLeader(core, reason)
  if (term > core.term) takeTerm(core, term)
  return retired
}

function leaveLeadership(core: NodeCore, reason: StepDownReason): readonly AnyActorRef[] {
  const retired = [...core.followers.values()].flatMap((f) => [f.replicator, f.heartbeat])
  core.followers.clear()
  core.ballots = null
  core.leader = null
  failAll(core, core.closures.takeAfter(core.commitIndex), reason)
  const reads = [...core.reads, ...(core.round?.reads ?? [])]
  core.reads = []
  core.round = null
  if (core.roundTimer !== null) core.clock.clearTimeout(core.roundTimer)
  core.roundTimer = null
  for (const read of reads) {
    read.done({
      ok: false,
      error: core.error('NOT_LEADER', 'Leadership was lost; ask again.', { retryable: true }),
    })
  }
  core.toApplyQueue({ type: 'leaderStop', reason })
  return retired
}

/** In the log of a deposed leader: the next one may keep these entries or drop them. */
function failAll(core: NodeCore, closures: readonly Closure[], reason: string): void {
  for (const closure of closures) {
    if (closure.kind !== 'proposal') continue
    const message = `Member ${core.id} lost its leadership (${reason}) before the command was committed: it may or may not be applied.`
    closure.done({
      ok: false,
      error: core.error('LEADERSHIP_LOST', message, { outcome: 'unknown', retryable: true }),
    })
  }
}

/** Nobody is known to lead. */
export function forgetLeader(core: NodeCore, reason: string): void {
  if (core.leader !== null && core.leader !== core.id) {
    core.toApplyQueue({ type: 'stopFollowing', change: { leader: core.leader, term: core.term, reason } })
  }
  core.leader = null
}

/** Follows `leader` in the current term. */
export function adoptLeader(core: NodeCore, leader: PeerId, reason: string): void {
  if (core.leader === leader) return
  core.leader = leader
  core.preVote = null
  core.toApplyQueue({ type: 'startFollowing', change: { leader, term: core.term, reason } })
}

/** A newer term: no vote in it yet, and what waited to be acknowledged in the older one is refused (trap T25). */
export function takeTerm(core: NodeCore, term: Term, votedFor: PeerId | null = null): number {
  const version = core.adopt(term, votedFor)
  const late = core.pendingAcks
  core.pendingAcks = []
  for (const ack of late) core.answer(ack.reply, { term, success: false, lastLogIndex: core.log.lastIndex })
  return version
}
