// Standing for election and voting: carries out what rules/vote.ts and rules/election.ts decide.

import type { AnyActorRef } from 'xstate'
import {
  type Campaign,
  type Candidate,
  countPreVote,
  countVote,
  type DisruptedLeader,
  grant,
  hasWon,
  mayCampaign,
  startCampaign,
} from '../../rules/election.ts'
import { heardRecently, leaderPresumedAliveMs, owesVoteForMs, quorumIsAlive } from '../../rules/lease.ts'
import { isMember } from '../../rules/quorum.ts'
import type { PeerId } from '../../rules/types.ts'
import { decidePreVote, decideVote, type VoteDecision, type Voter } from '../../rules/vote.ts'
import type { RequestVoteRequest } from '../../transport/wire/messages.ts'
import type { NodeCore } from './node.core.ts'
import type { NodeEvent } from './node.events.ts'
import { forgetLeader, stepDown, takeTerm } from './node.stepdown.ts'

type EventOf<T extends NodeEvent['type']> = Extract<NodeEvent, { type: T }>
type VoteRpc = EventOf<'rpc.request_vote'>

export function leaderIsGone(core: NodeCore): boolean {
  return leaderPresumedAliveMs(core.followerLease, core.leaseTerms, core.clock.nowMs()) === 0
}

export function maySeek(core: NodeCore): boolean {
  return mayCampaign({
    configuration: core.configuration,
    self: core.id,
    leaderIsGone: leaderIsGone(core),
    installingSnapshot: false,
  })
}

/** The followed leader has been silent for too long. */
export function giveUpLeader(core: NodeCore): void {
  forgetLeader(core, 'ELECTION_TIMEOUT')
}

/** Asks whether an election could be won, before raising the term (thesis section 9.6). */
export function startPreVote(core: NodeCore): void {
  core.preVote = startCampaign(++core.versions, core.configuration, false, null)
  ask(core, 'pre_vote', core.preVote, core.others)
  grantSelf(core)
}

/**
 * Becomes candidate in the next term. The candidacy goes to disk first; nobody is asked before it is there (trap T8).
 * A leader that has told us to campaign is known to have stepped down, and its lease with it.
 */
export function standForElection(core: NodeCore, event: NodeEvent): void {
  const oldLeader = core.leader
  const oldTerm = core.term
  core.reason = event.type === 'rpc.timeout_now' ? 'TIMEOUT_NOW' : 'PRE_VOTE_WON'
  forgetLeader(core, core.reason)
  core.preVote = null
  core.candidacyVersion = takeTerm(core, core.term + 1, core.id)
  let disrupted: DisruptedLeader | null = null
  if (event.type === 'rpc.timeout_now' && event.message.oldLeaderSteppedDown) {
    disrupted = oldLeader === null ? null : { peer: oldLeader, term: oldTerm }
    expireLease(core)
  }
  core.vote = startCampaign(++core.versions, core.configuration, false, disrupted)
}

/** The candidacy is durable: ask for votes, and count the own one. */
export function requestVotes(core: NodeCore): void {
  if (core.vote === null) return
  ask(core, 'request_vote', core.vote, core.others)
  grantSelf(core)
}

/** Counts the own vote, unless it is still promised to a leader; then the chart comes back when the promise ends. */
export function grantSelf(core: NodeCore): void {
  if (!isMember(core.configuration, core.id)) return
  if (owesVoteForMs(core.followerLease, core.leaseTerms, core.clock.nowMs()) > 0) return
  if (core.role === 'candidate') core.vote = core.vote && grant(core.vote, [core.id])
  else core.preVote = core.preVote && grant(core.preVote, [core.id])
}

function ask(
  core: NodeCore,
  method: 'pre_vote' | 'request_vote',
  campaign: Campaign,
  peers: readonly PeerId[],
): void {
  const { index, term } = core.log.durableLogId
  const sentTerm = core.term
  const request: RequestVoteRequest = {
    term: method === 'pre_vote' ? sentTerm + 1 : sentTerm,
    lastLogIndex: index,
    lastLogTerm: term,
    disruptedLeader: method === 'request_vote' ? campaign.disruptedLeader : null,
  }
  const type = method === 'pre_vote' ? 'preVote.answered' : 'vote.answered'
  for (const from of peers) {
    core.call(from, method, request, core.tuning.electionTimeoutMs, (outcome) => {
      if (!outcome.ok) return
      core.send({ type, version: campaign.version, sentTerm, from, response: outcome.response })
    })
  }
}

/** The answer belongs to this campaign: version, term at sending, and (by the state that hears it) role (trap T6). */
export function isCurrentAnswer(core: NodeCore, event: NodeEvent): boolean {
  if (event.type === 'preVote.answered')
    return event.version === core.preVote?.version && event.sentTerm === core.term
  if (event.type === 'vote.answered')
    return event.version === core.vote?.version && event.sentTerm === core.term
  return false
}

export function countAnswer(core: NodeCore, event: NodeEvent): void {
  const candidate: Candidate = { self: core.id, lastLeader: core.followerLease.lastLeader }
  if (event.type === 'preVote.answered' && core.preVote !== null) {
    core.preVote = countPreVote(core.preVote, candidate, { ...event.response, from: event.from })
  }
  if (event.type === 'vote.answered' && core.vote !== null) {
    const counted = countVote(core.vote, candidate, { ...event.response, from: event.from })
    core.vote = counted.campaign
    if (counted.askAgain.length > 0) ask(core, 'request_vote', core.vote, counted.askAgain)
  }
}

export function preVoteIsWon(core: NodeCore): boolean {
  return core.preVote !== null && hasWon(core.preVote)
}

export function voteIsWon(core: NodeCore): boolean {
  return core.vote !== null && hasWon(core.vote)
}

function voterOf(core: NodeCore): Voter {
  const { term, votedFor } = core
  const durableLogId = core.log.durableLogId
  return {
    term,
    votedFor,
    durableLogId,
    owesVoteForMs: owesVoteForMs(core.followerLease, core.leaseTerms, core.clock.nowMs()),
  }
}

function requestOf(event: VoteRpc | EventOf<'rpc.pre_vote'>): Parameters<typeof decideVote>[1] {
  const { term, lastLogIndex, lastLogTerm } = event.message
  return { candidate: event.from, term, lastLogId: { index: lastLogIndex, term: lastLogTerm } }
}

function leads(core: NodeCore): boolean {
  return (
    core.role === 'leader' && quorumIsAlive(core.contact, core.tuning.electionTimeoutMs, core.clock.nowMs())
  )
}

function hears(core: NodeCore): boolean {
  return heardRecently(core.followerLease, core.tuning.electionTimeoutMs, core.clock.nowMs())
}

export function answerPreVote(core: NodeCore, event: EventOf<'rpc.pre_vote'>): void {
  const leaderIsAlive = leads(core) || hears(core)
  const { granted, rejectedByLease } = decidePreVote({ ...voterOf(core), leaderIsAlive }, requestOf(event))
  const disrupted = core.role === 'leader'
  core.answer(event.reply, { term: core.term, granted, rejectedByLease, disrupted, previousTerm: core.term })
}

/** The candidate shows that the leader we wait for has stepped down: our promise to it is void. */
function isReleased(core: NodeCore, event: VoteRpc): boolean {
  const gone = event.message.disruptedLeader
  return core.role === 'follower' && gone !== null && gone.term === core.term && gone.peer === core.leader
}

function voterFor(core: NodeCore, event: VoteRpc): Voter {
  const voter = voterOf(core)
  return isReleased(core, event) ? { ...voter, owesVoteForMs: 0 } : voter
}

export function judgeVote(core: NodeCore, event: VoteRpc): VoteDecision {
  return decideVote(voterFor(core, event), requestOf(event))
}

/** Granting, or meeting a higher term, ends whatever this member was doing (rows 9 and 14 of braft's table). */
export function voteChangesRole(core: NodeCore, event: VoteRpc): boolean {
  const decision = judgeVote(core, event)
  return decision.adoptTerm || (decision.granted && core.votedFor !== event.from)
}

export function refuseVote(core: NodeCore, event: VoteRpc): void {
  const { granted, rejectedByLease } = judgeVote(core, event)
  if (isReleased(core, event)) expireLease(core)
  const disrupted = core.role === 'leader'
  core.answer(event.reply, { term: core.term, granted, rejectedByLease, disrupted, previousTerm: core.term })
}

/**
 * Steps down for a candidate and answers it. The vote goes to disk before the answer goes out: the outbox holds it back
 * until then (trap T10). Returns the actors that end with the office left.
 */
export function yieldToCandidate(core: NodeCore, event: VoteRpc): readonly AnyActorRef[] {
  const { granted, adoptTerm, rejectedByLease } = judgeVote(core, event)
  if (isReleased(core, event)) expireLease(core)
  const disrupted = core.role === 'leader'
  const previousTerm = core.term
  const reason = granted ? 'VOTED_FOR_CANDIDATE' : 'HIGHER_TERM_REQUEST'
  const retired = stepDown(core, { term: core.term, reason })
  const vote = granted ? event.from : null
  if (adoptTerm) takeTerm(core, event.message.term, vote)
  else if (granted) core.adopt(core.term, vote)
  core.answer(event.reply, { term: core.term, granted, rejectedByLease, disrupted, previousTerm })
  return retired
}

export function expireLease(core: NodeCore): void {
  core.followerLease = { lastLeader: core.followerLease.lastLeader, lastContactMs: null }
}

/** May TimeoutNow be followed? Same term, from a follower's seat, and as a member (traps T15, T14). */
export function followsTimeoutNow(core: NodeCore, event: EventOf<'rpc.timeout_now'>): boolean {
  return event.message.term === core.term && isMember(core.configuration, core.id)
}

/** With leases off the answer's higher term deposes the old leader; with leases on it must not yet (trap T15). */
export function acceptTimeoutNow(core: NodeCore, event: EventOf<'rpc.timeout_now'>): void {
  const term = core.tuning.leaderLease ? core.term - 1 : core.term
  core.answer(event.reply, { term, success: true })
}

export function refuseTimeoutNow(core: NodeCore, event: EventOf<'rpc.timeout_now'>): void {
  core.answer(event.reply, { term: core.term, success: false })
}
