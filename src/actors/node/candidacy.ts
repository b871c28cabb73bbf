// A member's own campaigns, and its verdict on the campaign of another.

import { asksFirst, type Campaign } from '../../rules/election.ts'
import type { Identity, PeerId, Term } from '../../rules/types.ts'
import type { VoteDecision } from '../../rules/vote.ts'
import { Rarely } from '../../runtime/rarely.ts'
import type { RequestVoteRequest } from '../../transport/wire/messages/registry.ts'

/** The verdict on a vote request, kept while the request is dealt with. */
export interface VoteVerdict {
  readonly event: object
  readonly decision: VoteDecision
  /** The candidate shows that the leader we wait for has stepped down. */
  readonly released: boolean
}

/** The newest verdict on a request for a vote or a pre-vote: kept for whoever watches. */
export interface SaidVerdict {
  readonly from: PeerId
  readonly message: RequestVoteRequest
  readonly decision: VoteDecision
}

export class Candidacy {
  preVote: Campaign | null = null
  vote: Campaign | null = null
  verdict: VoteVerdict | null = null
  said: SaidVerdict | null = null
  /** The term of the last office that this member has left; 0: it has had none. */
  lastOffice: Term = 0
  /** Whose files gave their votes, in this campaign and the pre-vote before it. */
  readonly voters = new Map<PeerId, Identity>()
  /** Members whose votes do not count, by the files that were told of: they answer several times a second. */
  readonly doubted = new Map<PeerId, Identity>()
  /** Attempts that are logged. */
  readonly attempts = new Rarely()
  /** Somebody has asked for the next pre-vote: votes held back by leases count in it. */
  triggered = false
  /** Somebody has answered in this term, whatever he said. */
  answered = false
  /** The hard-state record that carries the own candidacy. */
  recordVersion = 0

  /** A candidate whose time is up goes back to ask first. */
  goesBack({ stepDownWhenVoteTimedOut }: { readonly stepDownWhenVoteTimedOut: boolean }): boolean {
    return asksFirst(stepDownWhenVoteTimedOut, this.answered)
  }

  /** Whatever was asked for is not asked for any more. */
  end(): void {
    this.preVote = null
    this.vote = null
  }
}
