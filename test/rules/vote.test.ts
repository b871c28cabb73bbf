// Granting votes and pre-votes: paper sections 5.2 and 5.4.1, thesis 6.4.1 and 9.6.

import { describe, expect, it } from 'vitest'
import { compareLogIds, type LogId, type PeerId, type Term } from '../../src/rules/types.ts'
import {
  decidePreVote,
  decideVote,
  type PreVoter,
  type VoteReason,
  type VoteRequest,
  type Voter,
} from '../../src/rules/vote.ts'
import { listsOf, logIdsUpTo, range } from './support/small-scopes.ts'

const EMPTY: LogId = { index: 0, term: 0 }

const voter = (over: Partial<Voter> = {}): Voter => ({
  term: 5,
  votedFor: null,
  durableLogId: { index: 10, term: 4 },
  owesVoteForMs: 0,
  ...over,
})
const request = (over: Partial<VoteRequest> = {}): VoteRequest => ({
  candidate: 'c',
  term: 5,
  lastLogId: { index: 10, term: 4 },
  ...over,
})

const VOTERS: readonly Voter[] = range(1, 3).flatMap((term) =>
  [null, 'a', 'b'].flatMap((votedFor) =>
    logIdsUpTo(2, 2).flatMap((durableLogId) =>
      [0, 7].map((owesVoteForMs) => ({ term, votedFor, durableLogId, owesVoteForMs })),
    ),
  ),
)
const REQUESTS: readonly VoteRequest[] = ['a', 'b', 'c'].flatMap((candidate) =>
  range(0, 4).flatMap((term) => logIdsUpTo(2, 2).map((lastLogId) => ({ candidate, term, lastLogId }))),
)

function everyPair(check: (voter: Voter, request: VoteRequest) => boolean): unknown[] {
  const wrong: unknown[] = []
  for (const one of VOTERS) for (const other of REQUESTS) if (!check(one, other)) wrong.push([one, other])
  return wrong
}

describe('a vote', () => {
  it('goes to the first candidate of a term whose log is as up to date (paper section 5.4.1)', () => {
    expect(decideVote(voter(), request())).toEqual({
      granted: true,
      rejectedByLease: false,
      adoptTerm: false,
      reason: 'GRANTED',
    })
  })

  it('is refused to a candidate of an earlier term, whatever its log (paper section 5.1)', () => {
    const decision = decideVote(voter(), request({ term: 4, lastLogId: { index: 99, term: 99 } }))
    expect(decision).toMatchObject({ granted: false, adoptTerm: false, reason: 'STALE_TERM' })
  })

  it('is refused to a second candidate of the same term (paper section 5.2)', () => {
    expect(decideVote(voter({ votedFor: 'a' }), request())).toMatchObject({
      granted: false,
      adoptTerm: false,
      reason: 'ALREADY_VOTED',
    })
  })

  it('is granted again to the same candidate: it is the same vote', () => {
    expect(decideVote(voter({ votedFor: 'c' }), request()).granted).toBe(true)
  })

  it('of an earlier term does not bind in a later one', () => {
    expect(decideVote(voter({ votedFor: 'a' }), request({ term: 6 }))).toMatchObject({
      granted: true,
      adoptTerm: true,
    })
  })

  it('is refused to a log that is behind, but its higher term is adopted (paper section 5.1)', () => {
    expect(decideVote(voter(), request({ term: 6, lastLogId: { index: 9, term: 4 } }))).toMatchObject({
      granted: false,
      adoptTerm: true,
      reason: 'LOG_BEHIND',
    })
  })

  it('held back by a lease leaves the term untouched even if the request has a higher one (trap T3)', () => {
    expect(decideVote(voter({ owesVoteForMs: 1 }), request({ term: 9 }))).toEqual({
      granted: false,
      rejectedByLease: true,
      adoptTerm: false,
      reason: 'LEASE',
    })
  })

  it('is not said to be held back by a lease when the log would not do anyway', () => {
    const behind = decideVote(voter({ owesVoteForMs: 1 }), request({ lastLogId: EMPTY }))
    expect(behind).toMatchObject({ granted: false, rejectedByLease: false, adoptTerm: false })
  })

  it('is not refused because the candidate is unknown: the voter may hold the older configuration', () => {
    expect(decideVote(voter(), request({ candidate: 'stranger' })).granted).toBe(true)
  })
})

describe('over all small voters and requests, a vote', () => {
  /** braft handle_request_vote_request, step by step. */
  function byTheBook(self: Voter, asked: VoteRequest) {
    if (asked.term < self.term) return { granted: false, rejectedByLease: false, adoptTerm: false }
    const logOk =
      asked.lastLogId.term > self.durableLogId.term ||
      (asked.lastLogId.term === self.durableLogId.term && asked.lastLogId.index >= self.durableLogId.index)
    if (self.owesVoteForMs > 0) return { granted: false, rejectedByLease: logOk, adoptTerm: false }
    const adoptTerm = asked.term > self.term
    let votedFor = adoptTerm ? null : self.votedFor
    if (logOk && votedFor === null) votedFor = asked.candidate
    // braft also answers yes for a vote given before; our rule asks the log again, which the same candidate passes.
    return { granted: votedFor === asked.candidate && logOk, rejectedByLease: false, adoptTerm }
  }

  it('is decided as braft decides it', () => {
    expect(
      everyPair((self, asked) => {
        const { reason: _, ...decision } = decideVote(self, asked)
        return JSON.stringify(decision) === JSON.stringify(byTheBook(self, asked))
      }),
    ).toEqual([])
  })

  it('is never granted to a log behind the own durable one', () => {
    expect(
      everyPair(
        (self, asked) =>
          !decideVote(self, asked).granted || compareLogIds(asked.lastLogId, self.durableLogId) >= 0,
      ),
    ).toEqual([])
  })

  it('is never granted, and no term adopted, while it is promised to a leader', () => {
    expect(
      everyPair((self, asked) => {
        const { granted, adoptTerm } = decideVote(self, asked)
        return self.owesVoteForMs === 0 || (!granted && !adoptTerm)
      }),
    ).toEqual([])
  })

  it('comes with one word for the log, and only GRANTED grants', () => {
    expect(
      everyPair((self, asked) => {
        const { granted, rejectedByLease, reason } = decideVote(self, asked)
        return granted === (reason === 'GRANTED') && (!rejectedByLease || reason === 'LEASE')
      }),
    ).toEqual([])
  })

  it('goes to at most one candidate per term, whatever three requests arrive in whatever order', () => {
    const requests = ['a', 'b', 'c'].flatMap((candidate) =>
      range(1, 3).flatMap((term) =>
        [EMPTY, { index: 1, term: 1 }].map((lastLogId) => ({ candidate, term, lastLogId })),
      ),
    )
    const broken = listsOf(requests, 3).filter((sequence) => !votesOncePerTerm(sequence))
    expect(broken).toEqual([])
  })

  /** Carries term and vote forward as a node does, and remembers who got a vote in which term. */
  function votesOncePerTerm(sequence: readonly VoteRequest[]): boolean {
    let self: Voter = { term: 1, votedFor: null, durableLogId: EMPTY, owesVoteForMs: 0 }
    const given = new Map<Term, PeerId>()
    for (const asked of sequence) {
      const { granted, adoptTerm } = decideVote(self, asked)
      if (adoptTerm) self = { ...self, term: asked.term, votedFor: null }
      if (!granted) continue
      if ((given.get(self.term) ?? asked.candidate) !== asked.candidate) return false
      given.set(self.term, asked.candidate)
      self = { ...self, votedFor: asked.candidate }
    }
    return true
  }
})

describe('a pre-vote (thesis section 9.6)', () => {
  const PRE_VOTERS: readonly PreVoter[] = VOTERS.flatMap((self) =>
    [false, true].map((leaderIsAlive) => ({ ...self, leaderIsAlive })),
  )
  const preVoter = (over: Partial<PreVoter> = {}): PreVoter => ({ ...voter(), leaderIsAlive: false, ...over })

  function everyPreVote(check: (self: PreVoter, asked: VoteRequest) => boolean): unknown[] {
    const wrong: unknown[] = []
    for (const self of PRE_VOTERS) {
      for (const asked of REQUESTS) if (!check(self, asked)) wrong.push([self, asked])
    }
    return wrong
  }

  it('changes nothing: no term is adopted, ever (trap T13)', () => {
    expect(everyPreVote((self, asked) => !decidePreVote(self, asked).adoptTerm)).toEqual([])
  })

  it('does not depend on the vote that was given: several candidates may hear yes', () => {
    expect(
      everyPreVote(
        (self, asked) =>
          decidePreVote(self, asked).granted === decidePreVote({ ...self, votedFor: null }, asked).granted,
      ),
    ).toEqual([])
  })

  it('is granted exactly when term and log would do, no lease holds it back and no leader is heard', () => {
    expect(
      everyPreVote((self, asked) => {
        const wouldDo = asked.term >= self.term && compareLogIds(asked.lastLogId, self.durableLogId) >= 0
        const isFree = self.owesVoteForMs === 0 && !self.leaderIsAlive
        const { granted, rejectedByLease } = decidePreVote(self, asked)
        return granted === (wouldDo && isFree) && rejectedByLease === (wouldDo && !isFree)
      }),
    ).toEqual([])
  })

  it.each<[VoteReason, PreVoter, VoteRequest]>([
    ['STALE_TERM', preVoter(), request({ term: 4 })],
    ['LOG_BEHIND', preVoter({ owesVoteForMs: 5 }), request({ lastLogId: { index: 99, term: 3 } })],
    ['LEASE', preVoter({ owesVoteForMs: 5, leaderIsAlive: true }), request()],
    ['LEADER_ALIVE', preVoter({ leaderIsAlive: true }), request({ term: 9 })],
    ['GRANTED', preVoter({ votedFor: 'a' }), request()],
  ])('says %s in one word', (reason, self, asked) => {
    expect(decidePreVote(self, asked).reason).toBe(reason)
  })
})
