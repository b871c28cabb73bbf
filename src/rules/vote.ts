// The rule for granting a vote, and a pre-vote.

import { compareLogIds, type LogId, type PeerId, type Term } from './types.ts'

export interface Voter {
  readonly term: Term
  readonly votedFor: PeerId | null
  /** Last entry that would survive power loss now: nothing else was ever promised to anybody (trap T11). */
  readonly durableLogId: LogId
  /** Milliseconds for which this voter still owes its vote to a leader; 0 when leases are off (braft votable_time). */
  readonly owesVoteForMs: number
}

export interface VoteRequest {
  readonly candidate: PeerId
  readonly term: Term
  readonly lastLogId: LogId
}

export interface VoteDecision {
  readonly granted: boolean
  /** The log would do, but a leader's lease holds the vote back; the candidate may ask again when it is void. */
  readonly rejectedByLease: boolean
  /** Step down to the request's term before answering. */
  readonly adoptTerm: boolean
  /** One word for logs, traces and tools. */
  readonly reason: VoteReason
}

export type VoteReason = 'GRANTED' | 'STALE_TERM' | 'LEASE' | 'LOG_BEHIND' | 'ALREADY_VOTED' | 'LEADER_ALIVE'

const refuse = (reason: VoteReason, adoptTerm = false): VoteDecision => ({
  granted: false,
  rejectedByLease: false,
  adoptTerm,
  reason,
})

/**
 * May this vote be granted? Paper sections 5.2 and 5.4.1, thesis section 6.4.1 for the lease.
 *
 * The lease is looked at *before* the term: a vote that a lease holds back must not raise the term either, or a
 * removed or cut-off member could depose a healthy leader (trap T3). Granting twice to the same candidate is the same
 * vote. Whether the candidate is a member is not asked: the voter's configuration may be the older one.
 */
export function decideVote(voter: Voter, request: VoteRequest): VoteDecision {
  if (request.term < voter.term) return refuse('STALE_TERM')
  const logIsCurrent = compareLogIds(request.lastLogId, voter.durableLogId) >= 0
  if (voter.owesVoteForMs > 0) {
    return { granted: false, rejectedByLease: logIsCurrent, adoptTerm: false, reason: 'LEASE' }
  }
  const adoptTerm = request.term > voter.term
  if (!logIsCurrent) return refuse('LOG_BEHIND', adoptTerm)
  const votedFor = adoptTerm ? null : voter.votedFor
  if (votedFor !== null && votedFor !== request.candidate) return refuse('ALREADY_VOTED', adoptTerm)
  return { granted: true, rejectedByLease: false, adoptTerm, reason: 'GRANTED' }
}

export interface PreVoter extends Voter {
  /** A leader was heard within the last election timeout, or this member leads and a quorum answers it. */
  readonly leaderIsAlive: boolean
}

/**
 * Would this vote be granted? Thesis section 9.6. Changes nothing and is remembered by nobody, so any number of
 * candidates may hear yes (trap T13). `request.term` is the term the candidate would campaign in.
 *
 * Somebody who hears the leader says no: a member that is cut off from the leader alone must not depose it again and
 * again (thesis section 4.2.3; braft asks for this only with leases on). It counts as held back by a lease, so that
 * an election that an operator asked for can still collect it.
 */
export function decidePreVote(voter: PreVoter, request: VoteRequest): VoteDecision {
  if (request.term < voter.term) return refuse('STALE_TERM')
  if (compareLogIds(request.lastLogId, voter.durableLogId) < 0) return refuse('LOG_BEHIND')
  if (voter.owesVoteForMs > 0) {
    return { granted: false, rejectedByLease: true, adoptTerm: false, reason: 'LEASE' }
  }
  if (voter.leaderIsAlive) {
    return { granted: false, rejectedByLease: true, adoptTerm: false, reason: 'LEADER_ALIVE' }
  }
  return { granted: true, rejectedByLease: false, adoptTerm: false, reason: 'GRANTED' }
}
