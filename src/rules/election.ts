// When to stand for election, and how to count what the others answer (paper section 5.2, braft vote contexts).

import { hasQuorum, isMember, isWitness, members, priorityOf } from './quorum.ts'
import type { Configuration, PeerId, Term } from './types.ts'

export interface CampaignSituation {
  readonly configuration: Configuration
  readonly self: PeerId
  /** The lease on the leader's life has run out, or somebody asked for an election. */
  readonly leaderIsGone: boolean
  /** The configuration may be about to change under a snapshot that is being installed (trap T14). */
  readonly installingSnapshot: boolean
  /** Its files are those of a witness, whatever the configuration says: it would send nothing for something. */
  readonly lacksPayload: boolean
}

export function mayCampaign(situation: CampaignSituation): boolean {
  return (
    situation.leaderIsGone &&
    !situation.installingSnapshot &&
    !situation.lacksPayload &&
    !isWitness(situation.configuration, situation.self) &&
    isMember(situation.configuration, situation.self) &&
    priorityOf(situation.configuration, situation.self) > 0
  )
}

/**
 * By which configuration a member may stand for election: the newest one, or the one before it, which had other voters, as
 * long as the newest is not known to be committed. Who is leaving may be the only one that has the entry which says so, and
 * with it the log without which nobody else can be elected (thesis section 4.2.2). It is elected by those whom that entry
 * names, finishes the change, and goes. What comes before these two is settled: no leader appends a configuration before
 * the last one is committed. `null`: neither names it.
 *
 * @param known ascending; the first one is in force at the commit index
 */
export function standsBy(known: readonly Configuration[], self: PeerId): Configuration | null {
  const newest = known.at(-1)
  if (newest === undefined) return null
  const before = known.findLast((configuration) => !haveSameVoters(configuration, newest))
  return [newest, before].find((it) => it !== undefined && isMember(it, self)) ?? null
}

function haveSameVoters(a: Configuration, b: Configuration): boolean {
  const voters = members(a)
  return voters.length === members(b).length && voters.every((peer) => isMember(b, peer))
}

/** A configuration of exactly this member needs nobody's answer: it elects itself at once. */
export function isAlone(configuration: Configuration, self: PeerId): boolean {
  return (
    configuration.oldPeers.length === 0 && configuration.peers.length === 1 && configuration.peers[0] === self
  )
}

/** The same, where it may lead: a lone member of priority 0, or one that is a witness or has its files, leads nobody. */
export function electsItself(configuration: Configuration, self: PeerId, lacksPayload: boolean): boolean {
  return (
    isAlone(configuration, self) &&
    priorityOf(configuration, self) > 0 &&
    !lacksPayload &&
    !isWitness(configuration, self)
  )
}

/** A leader that was in office when it was asked: its lease on the voters is void once it has voted (braft TermLeader). */
export interface DisruptedLeader {
  readonly peer: PeerId
  readonly term: Term
}

/**
 * One campaign. `version` tells its answers from those to earlier campaigns: it changes at every start and every end
 * (trap T6).
 */
export interface Campaign {
  readonly version: number
  /** The term to be won: votes count in this one only. A pre-vote asks for the next term. */
  readonly term: Term
  readonly configuration: Configuration
  readonly granted: ReadonlySet<PeerId>
  /** Voters that said "not while my lease holds"; worth asking again once the leader is known to be deposed. */
  readonly reserved: ReadonlySet<PeerId>
  readonly disruptedLeader: DisruptedLeader | null
  /** Asked for by an operator: votes held back by leases may be collected. */
  readonly triggered: boolean
}

export function startCampaign(
  version: number,
  term: Term,
  configuration: Configuration,
  triggered: boolean,
  disruptedLeader: DisruptedLeader | null,
): Campaign {
  return { version, term, configuration, granted: new Set(), reserved: new Set(), disruptedLeader, triggered }
}

export function hasWon(campaign: Campaign): boolean {
  return hasQuorum(campaign.configuration, (peer) => campaign.granted.has(peer))
}

export function grant(campaign: Campaign, peers: Iterable<PeerId>): Campaign {
  return { ...campaign, granted: new Set([...campaign.granted, ...peers]) }
}

/**
 * Does a candidate whose time is up ask first, by a pre-vote, before it raises its term again? Where it is told not to, it does so
 * all the same when nobody has answered at all: whoever hears nobody would depose leader after leader, of those that hear it.
 */
export function asksFirst(stepDownWhenVoteTimedOut: boolean, answered: boolean): boolean {
  return stepDownWhenVoteTimedOut || !answered
}

export interface VoteAnswer {
  readonly from: PeerId
  /** The voter's term when it answered. A vote is given in the campaign's own term, or it is none. */
  readonly term: Term
  readonly granted: boolean
  readonly rejectedByLease: boolean
  readonly disrupted: boolean
  readonly previousTerm: Term
}

/** Who is asked, and which leader one's own vote is still owed to. */
export interface Candidate {
  readonly self: PeerId
  /** The leader whose lease may hold back the own vote: when it grants, it has released us too (trap T5). */
  readonly lastLeader: PeerId | null
}

/**
 * Counts one answer to a pre-vote (braft handle_pre_vote_response). The voter keeps its term, so a yes may come from an
 * earlier one; whoever is in the campaign's term already has nothing to give in it.
 */
export function countPreVote(campaign: Campaign, candidate: Candidate, answer: VoteAnswer): Campaign {
  if (answer.term >= campaign.term) return campaign
  if (!answer.granted && !answer.rejectedByLease) return campaign
  if (answer.rejectedByLease && !campaign.triggered) return campaign
  const seen = withDisruption(campaign, answer)
  const yes = answer.granted ? [answer.from] : []
  const reserved = new Set(seen.reserved)
  if (answer.rejectedByLease) reserved.add(answer.from)
  // Once a deposed leader is known, the votes that waited for its lease count as well.
  if (seen.disruptedLeader !== null) {
    yes.push(...reserved)
    reserved.clear()
  }
  return { ...grant(seen, withOwnVote(yes, candidate)), reserved }
}

export interface CountedVote {
  readonly campaign: Campaign
  /** Ask these again, now naming the deposed leader (braft retry_vote_on_reserved_peers). */
  readonly askAgain: readonly PeerId[]
}

/**
 * Counts one answer to a vote request (braft handle_request_vote_response). A yes that names another term was recorded
 * in another term, or nowhere: it is no vote (paper figure 2).
 */
export function countVote(campaign: Campaign, candidate: Candidate, answer: VoteAnswer): CountedVote {
  if (!answer.granted && !answer.rejectedByLease) return { campaign, askAgain: [] }
  if (answer.granted && answer.term !== campaign.term) return { campaign, askAgain: [] }
  let next = withDisruption(campaign, answer)
  if (answer.granted) next = grant(next, withOwnVote([answer.from], candidate))
  else next = { ...next, reserved: new Set([...next.reserved, answer.from]) }
  if (hasWon(next) || next.disruptedLeader === null) return { campaign: next, askAgain: [] }
  return { campaign: { ...next, reserved: new Set() }, askAgain: [...next.reserved] }
}

function withDisruption(campaign: Campaign, answer: VoteAnswer): Campaign {
  if (!answer.disrupted || (campaign.disruptedLeader?.term ?? 0) > answer.previousTerm) return campaign
  return { ...campaign, disruptedLeader: { peer: answer.from, term: answer.previousTerm } }
}

function withOwnVote(yes: readonly PeerId[], candidate: Candidate): readonly PeerId[] {
  return candidate.lastLeader !== null && yes.includes(candidate.lastLeader) ? [...yes, candidate.self] : yes
}
