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
import { InvariantError } from '../../rules/invariants.ts'
import { owesVoteForMs } from '../../rules/lease.ts'
import { isMember } from '../../rules/quorum.ts'
import type { PeerId } from '../../rules/types.ts'
import {
  decidePreVote,
  decideVote,
  type VoteDecision,
  type VoteRequest,
  type Voter,
} from '../../rules/vote.ts'
import type { RequestVoteRequest } from '../../transport/wire/messages/registry.ts'
import { lacksPayload } from '../snapshot/payload.ts'
import type { TimerFired } from '../timer.machine.ts'
import { noteAttempt } from './node.announcing.ts'
import { candidature } from './node.configuration.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf, NodeEvent } from './node.events.ts'
import { hearsOfLeader, presumedAliveMs } from './node.presence.ts'
import { removalFor } from './node.removal.ts'
import { stepDown } from './node.stepdown.ts'
import { forgetLeader, takeTerm } from './node.term.ts'

type VoteRpc = EventOf<'rpc.request_vote'>

export function maySeek(core: NodeCore, { firedMs }: TimerFired): boolean {
  // A member whose files are not the ones it is known by has forgotten what it promised, to itself as well.
  if (!core.counts(core.id, core.identity)) return false
  return mayCampaign({
    configuration: candidature(core),
    self: core.id,
    leaderIsGone: presumedAliveMs(core, firedMs) === 0,
    installingSnapshot: core.snapshots.isInstalling,
    lacksPayload: lacksPayload(core),
  })
}

export function leaderIsSilent(core: NodeCore, { firedMs }: TimerFired): boolean {
  return core.leader !== null && presumedAliveMs(core, firedMs) === 0
}

/** Asks whether an election could be won, before raising the term (thesis section 9.6). */
export function startPreVote(core: NodeCore): void {
  core.candidacy.voters.clear()
  const { triggered } = core.candidacy
  core.candidacy.triggered = false
  const { configuration, term } = core
  core.candidacy.preVote = startCampaign(core.nextVersion(), term + 1, configuration, triggered, null)
  noteAttempt(core, triggered)
  ask(core, 'pre_vote', core.candidacy.preVote, core.others)
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
  core.candidacy.preVote = null
  core.candidacy.answered = false
  core.candidacy.recordVersion = takeTerm(core, core.term + 1, core.id)
  let disrupted: DisruptedLeader | null = null
  if (event.type === 'rpc.timeout_now' && event.message.oldLeaderSteppedDown) {
    disrupted = oldLeader === null ? null : { peer: oldLeader, term: oldTerm }
    core.following.release()
  }
  core.candidacy.vote = startCampaign(core.nextVersion(), core.term, core.configuration, false, disrupted)
}

/** The candidacy is durable: ask for votes, and count the own one. */
export function requestVotes(core: NodeCore): void {
  if (core.candidacy.vote === null) return
  ask(core, 'request_vote', core.candidacy.vote, core.others)
  grantSelf(core)
}

/** Counts the own vote, unless it is still promised to a leader; then the chart comes back when the promise ends. */
export function grantSelf(core: NodeCore): void {
  const { candidacy, configuration, id, following, leaseTerms, clock } = core
  if (!isMember(configuration, id) || owesVoteForMs(following.lease, leaseTerms, clock.nowMs()) > 0) return
  if (candidacy.vote !== null) candidacy.vote = grant(candidacy.vote, [id])
  else if (candidacy.preVote !== null) candidacy.preVote = grant(candidacy.preVote, [id])
}

function ask(
  core: NodeCore,
  method: 'pre_vote' | 'request_vote',
  campaign: Campaign,
  peers: readonly PeerId[],
): void {
  const { index, term } = core.log.durableLogId
  const { term: sentTerm } = core
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
    return event.version === core.candidacy.preVote?.version && event.sentTerm === core.term
  if (event.type === 'vote.answered')
    return event.version === core.candidacy.vote?.version && event.sentTerm === core.term
  return false
}

export function countAnswer(core: NodeCore, event: NodeEvent): void {
  if (event.type === 'vote.answered') core.candidacy.answered = true
  const candidate: Candidate = { self: core.id, lastLeader: core.following.lease.lastLeader }
  if (!voterCounts(core, event)) return
  if (event.type === 'preVote.answered' && core.candidacy.preVote !== null) {
    core.candidacy.preVote = countPreVote(core.candidacy.preVote, candidate, {
      from: event.from,
      ...event.response,
    })
  }
  if (event.type === 'vote.answered' && core.candidacy.vote !== null) {
    const counted = countVote(core.candidacy.vote, candidate, { from: event.from, ...event.response })
    core.candidacy.vote = counted.campaign
    if (counted.askAgain.length > 0) ask(core, 'request_vote', core.candidacy.vote, counted.askAgain)
  }
}

/** A vote is worth what the files are that keep it. */
function voterCounts(core: NodeCore, event: NodeEvent): boolean {
  if (event.type !== 'preVote.answered' && event.type !== 'vote.answered') return true
  const { from, response } = event
  if (core.counts(from, response.identity)) {
    if (response.granted) core.candidacy.voters.set(from, response.identity)
    return true
  }
  if (core.candidacy.doubted.get(from) === response.identity) return false
  core.candidacy.doubted.set(from, response.identity)
  core.logger.warn(
    { group: core.group, from, identity: response.identity, recorded: core.configuration.identities?.[from] },
    `The vote of ${from} does not count: it has come back with other files than it had. A leader takes it in again; if there can be none, start a member with --trust ${from}.`,
  )
  return false
}

export function preVoteIsWon(core: NodeCore): boolean {
  return core.candidacy.preVote !== null && hasWon(core.candidacy.preVote)
}

export function voteIsWon(core: NodeCore): boolean {
  return core.candidacy.vote !== null && hasWon(core.candidacy.vote)
}

function voterOf(core: NodeCore, nowMs: number): Voter {
  const { term, votedFor } = core
  return {
    term,
    votedFor,
    durableLogId: core.log.durableLogId,
    owesVoteForMs: owesVoteForMs(core.following.lease, core.leaseTerms, nowMs),
  }
}

function requestOf(event: VoteRpc | EventOf<'rpc.pre_vote'>): VoteRequest {
  const { term, lastLogIndex, lastLogTerm } = event.message
  return { candidate: event.from, term, lastLogId: { index: lastLogIndex, term: lastLogTerm } }
}

/** Why a vote was withheld is the first question of whoever wonders about an election. */
function noteVerdict(
  core: NodeCore,
  { from, type, message }: VoteRpc | EventOf<'rpc.pre_vote'>,
  decision: VoteDecision,
): void {
  const { granted, reason } = decision
  core.candidacy.said = { from, message, decision }
  const fields = { group: core.group, from, asked: type, term: core.term, askedTerm: message.term, granted }
  core.logger.debug({ reason, ...fields }, granted ? 'A vote is given.' : 'A vote is withheld.')
}

export function answerPreVote(core: NodeCore, event: EventOf<'rpc.pre_vote'>): void {
  const { receivedMs } = event
  const voter = { leaderIsAlive: hearsOfLeader(core, receivedMs), ...voterOf(core, receivedMs) }
  const decision = decidePreVote(voter, requestOf(event))
  noteVerdict(core, event, decision)
  const { granted, rejectedByLease } = decision
  const said = { granted, rejectedByLease, disrupted: core.office !== null, previousTerm: core.term }
  core.answer(event.reply, { term: core.term, ...said, ...removalFor(core, event.from) })
}

/** The candidate shows that the leader we wait for has stepped down: our promise to it is void. */
function isReleased(core: NodeCore, event: VoteRpc): boolean {
  const gone = event.message.disruptedLeader
  return core.isFollower && gone !== null && gone.term === core.term && gone.peer === core.leader
}

/** One verdict per request: whoever asks again, guard or action, hears the same, whatever has changed since. */
export function judgeVote(core: NodeCore, event: VoteRpc): VoteDecision {
  const known = core.candidacy.verdict
  if (known?.event === event) return known.decision
  const voter = voterOf(core, event.receivedMs)
  const released = isReleased(core, event)
  const decision = decideVote(released ? { ...voter, owesVoteForMs: 0 } : voter, requestOf(event))
  core.candidacy.verdict = { event, decision, released }
  noteVerdict(core, event, decision)
  return decision
}

/** Granting, or meeting a higher term, ends whatever this member was doing (braft NodeImpl::step_down). */
export function voteChangesRole(core: NodeCore, event: VoteRpc): boolean {
  const decision = judgeVote(core, event)
  return decision.adoptTerm || (decision.granted && core.votedFor !== event.from)
}

/** The vote that this candidate has already, asked for once more: the first answer may have been lost. */
export function voteIsRepeated(core: NodeCore, event: VoteRpc): boolean {
  return judgeVote(core, event).granted && core.votedFor === event.from && core.term === event.message.term
}

/** Says yes again. It is in the record (or on its way there, and the outbox waits for it), or it is not said. */
export function repeatVote(core: NodeCore, event: VoteRpc): void {
  if (core.votedFor !== event.from || core.term !== event.message.term) {
    const given = `the vote of term ${core.term} went to ${core.votedFor ?? 'nobody'}`
    throw new InvariantError('one vote per term', `${event.from} is told yes again, but ${given}`)
  }
  releasePromise(core, event)
  answerVote(core, event, true, core.term)
}

/** Says no, whatever the verdict was: a vote is granted by `yieldToCandidate` and `repeatVote`, and nowhere else. */
export function refuseVote(core: NodeCore, event: VoteRpc): void {
  releasePromise(core, event)
  answerVote(core, event, false, core.term)
}

/**
 * Steps down for a candidate and answers it. The vote goes to disk before the answer goes out: the outbox holds it back
 * until then (trap T10). Returns the actors that end with the office left.
 */
export function yieldToCandidate(core: NodeCore, event: VoteRpc): readonly AnyActorRef[] {
  const { granted, adoptTerm } = judgeVote(core, event)
  releasePromise(core, event)
  const disrupted = core.office !== null
  const previousTerm = core.term
  const reason = granted ? 'VOTED_FOR_CANDIDATE' : 'HIGHER_TERM_REQUEST'
  const retired = stepDown(core, { term: core.term, reason })
  const vote = granted ? event.from : null
  if (adoptTerm) takeTerm(core, event.message.term, vote)
  else if (granted) core.adopt(core.term, vote)
  answerVote(core, event, granted, previousTerm, disrupted)
  return retired
}

function releasePromise(core: NodeCore, event: VoteRpc): void {
  judgeVote(core, event)
  if (core.candidacy.verdict?.released === true) core.following.release()
}

function answerVote(
  core: NodeCore,
  event: VoteRpc,
  granted: boolean,
  previousTerm: number,
  leads = core.office !== null,
): void {
  // Deposed by something else that this candidate said: those who vote for it owe this member nothing any more.
  const { rejectedByLease } = judgeVote(core, event)
  const led = event.message.term - 1
  const hasLed = !leads && led > 0 && core.candidacy.lastOffice === led
  const deposed = hasLed ? { disrupted: true, previousTerm: led } : { disrupted: leads, previousTerm }
  core.answer(event.reply, { term: core.term, granted, rejectedByLease, ...deposed })
}
