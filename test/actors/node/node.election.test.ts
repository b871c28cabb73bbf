// Seeking election: traps T1, T4, T6, T8, T10, T11 and T14.

import { describe, expect, it } from 'vitest'
import { configurationEntry } from '../../log/support/entries.ts'
import { says } from '../support/fake-rpc.ts'
import { rig } from '../support/node-rig.ts'

const LEASES = { leaderLease: true } as const

describe('the election timer', () => {
  it('leads to a pre-vote once the leader has been silent for timeout plus drift, leases on or off (trap T1)', () => {
    const node = rig().boot().follow('b', 2)
    node.advance(1999)
    expect(node.state).toBe('follower.waiting')
    node.advance(1)
    expect(node.state).toBe('follower.preVoting')
    expect(node.handle.status()).toMatchObject({ term: 2, votedFor: null, leader: null })
    expect(node.machine.calls.at(-1)).toBe('stopFollowing b 2 ELECTION_TIMEOUT')
  })

  it('looks at the lease when it comes: a leader heard in between is left alone', () => {
    const node = rig().boot().follow('b', 2)
    for (let i = 0; i < 50; i++) {
      node.advance(100)
      node.heartbeat('b', { term: 2 })
    }
    expect(node.state).toBe('follower.waiting')
    expect(node.rpc.log).toEqual([])
  })

  it('asks every other member, in the next term, by the durable end of the log (trap T11)', () => {
    const node = rig({
      disk: { hardState: { term: 4, votedFor: 'b' }, entries: [configurationEntry(1, 3, ['a', 'b', 'c'])] },
    })
    node.boot()
    node.storage.hold('append')
    node.append('b', {
      term: 4,
      prevLogIndex: 1,
      prevLogTerm: 3,
      entries: [configurationEntry(2, 4, ['a', 'b', 'c'])],
    })
    node.seekElection()
    expect(node.handle.status().lastIndex).toBe(2)
    expect(
      node.rpc.calls('pre_vote').map(({ to, request, timeoutMs }) => ({ to, request, timeoutMs })),
    ).toEqual(
      ['b', 'c'].map((to) => ({
        to,
        request: { term: 5, lastLogIndex: 1, lastLogTerm: 3, disruptedLeader: null },
        timeoutMs: 1000,
      })),
    )
    expect(node.handle.status()).toMatchObject({ term: 4, votedFor: 'b' })
  })

  it('asks anew, under a new number, when a pre-vote was lost', () => {
    const node = rig().boot().seekElection()
    const [first] = node.rpc.calls('pre_vote')
    node.rpc.forget()
    node.advance(1000)
    expect(node.rpc.log).toEqual(['pre_vote>b', 'pre_vote>c'])
    first?.answer(says.yes(1))
    expect(node.settle().state).toBe('follower.preVoting')
  })

  it('does nothing for a member that its configuration does not list (trap T14)', () => {
    const node = rig({ id: 'x', peers: ['a', 'b', 'c'] })
      .boot()
      .advance(20_000)
    expect(node.state).toBe('follower.waiting')
    expect(node.rpc.log).toEqual([])
  })
})

describe('a pre-vote', () => {
  it('that is won makes a candidate of the next term', () => {
    const node = rig().boot().seekElection()
    node.storage.hold('hardState')
    node.rpc.last('pre_vote', 'b').answer(says.yes(1))
    node.settle()
    expect(node.state).toBe('candidate.persistingVote')
    expect(node.handle.status()).toMatchObject({ term: 2, votedFor: 'a', leader: null })
  })

  it('is not won by refusals, nor by votes that a lease holds back', () => {
    const node = rig().boot().seekElection()
    node.rpc.last('pre_vote', 'b').answer(says.no(1))
    node.rpc.last('pre_vote', 'c').answer(says.notWhileMyLeaseHolds(1))
    expect(node.settle().state).toBe('follower.preVoting')
  })

  it('is not won by calls that fail', () => {
    const node = rig().boot().seekElection()
    node.rpc.last('pre_vote', 'b').fail('TIMEOUT')
    node.rpc.last('pre_vote', 'c').fail('NO_RESPONDERS')
    expect(node.settle().state).toBe('follower.preVoting')
  })

  it('that is answered after a leader was heard means nothing (trap T6)', () => {
    const node = rig().boot().seekElection()
    const late = node.rpc.last('pre_vote', 'b')
    node.follow('c', 1)
    late.answer(says.yes(1))
    expect(node.settle().state).toBe('follower.waiting')
    expect(node.handle.status()).toMatchObject({ term: 1, leader: 'c' })
  })
})

describe('durable before said (traps T8 and T10, INV-2)', () => {
  it('nobody is asked for a vote before the own candidacy is on disk', () => {
    const node = rig().boot().seekElection()
    node.storage.hold('hardState')
    node.rpc.last('pre_vote', 'b').answer(says.yes(1))
    node.settle()
    expect(node.rpc.calls('request_vote')).toEqual([])
    node.storage.release()
    node.settle()
    expect(node.state).toBe('candidate.requestingVotes')
    expect(node.rpc.calls('request_vote').map(({ to, request }) => ({ to, ...request }))).toEqual(
      ['b', 'c'].map((to) => ({ to, term: 2, lastLogIndex: 0, lastLogTerm: 0, disruptedLeader: null })),
    )
    expect(node.disk.hardState).toEqual({ term: 2, votedFor: 'a' })
  })

  it('a vote is not answered before it is on disk, nor is anything that comes in between', () => {
    const node = rig().boot()
    node.storage.hold('hardState')
    const vote = node.requestVote('b', { term: 2 })
    const other = node.requestVote('c', { term: 2 })
    const preVote = node.preVote('c', { term: 3 })
    node.settle()
    expect([vote.outcome, other.outcome, preVote.outcome]).toEqual([null, null, null])
    node.storage.release()
    node.settle()
    expect(vote.response).toMatchObject({ granted: true, term: 2, previousTerm: 1 })
    expect(other.response).toMatchObject({ granted: false, term: 2 })
    expect(preVote.response).toMatchObject({ term: 2 })
    expect(node.disk.hardState).toEqual({ term: 2, votedFor: 'b' })
  })

  it('a vote that cannot be written is never answered, and the node stops', () => {
    const node = rig().boot()
    node.storage.fail('hardState')
    const vote = node.requestVote('b', { term: 2 })
    node.settle()
    expect(vote.outcome).toBeNull()
    expect(node.state).toBe('error')
  })

  it('an acknowledgement in a new term waits for that term to be on disk', () => {
    const node = rig().boot()
    node.storage.hold('hardState')
    const beat = node.heartbeat('b', { term: 2 })
    node.settle()
    expect(beat.outcome).toBeNull()
    node.storage.release()
    node.settle()
    expect(beat.response).toMatchObject({ term: 2, success: true })
  })

  it('a candidacy that is not durable in time is given up, and its record counts for nothing later', () => {
    const node = rig().boot().seekElection()
    node.storage.hold('hardState')
    node.rpc.last('pre_vote', 'b').answer(says.yes(1))
    node.settle().advance(2000)
    expect(node.state).toBe('follower.preVoting')
    node.storage.release()
    node.settle()
    expect(node.rpc.calls('request_vote')).toEqual([])
  })
})

describe('an election', () => {
  it('is won by a majority of votes', () => {
    const node = rig({ peers: ['a', 'b', 'c', 'd', 'e'] })
      .boot()
      .stand()
    node.rpc.last('request_vote', 'b').answer(says.yes(2))
    expect(node.settle().state).toBe('candidate.requestingVotes')
    node.rpc.last('request_vote', 'c').answer(says.yes(2))
    expect(node.settle().state).toBe('leader.establishing')
    expect(node.heard.slice(-2)).toEqual(['role candidate→leader 2 ELECTION_WON', 'leader a 2'])
  })

  it('is not won by votes of an earlier campaign (trap T6)', () => {
    const node = rig().boot().stand()
    const old = node.rpc.last('request_vote', 'b')
    node.advance(2000).stand()
    expect(node.handle.status()).toMatchObject({ role: 'candidate', term: 3 })
    old.answer(says.yes(3))
    expect(node.settle().state).toBe('candidate.requestingVotes')
  })

  it('is lost to a leader of the same term, which is followed (paper section 5.2)', () => {
    const node = rig().boot().stand()
    const beat = node.heartbeat('b', { term: 2 })
    node.settle()
    expect(node.state).toBe('follower.waiting')
    expect(node.handle.status()).toMatchObject({ term: 2, leader: 'b', votedFor: 'a' })
    expect(beat.response).toMatchObject({ success: true, term: 2 })
    expect(node.heard.slice(-2)).toEqual(['role candidate→follower 2 NEW_LEADER', 'leader b 2'])
  })
})

describe('a candidate without enough votes in time', () => {
  it('goes back and asks whether it could win before it raises its term again', () => {
    const node = rig().boot().stand()
    node.advance(1999)
    expect(node.state).toBe('candidate.requestingVotes')
    node.advance(1)
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 2 })
    expect(node.heard.at(-1)).toBe('role candidate→follower 2 VOTE_TIMEOUT')
    node.seekElection()
    expect(node.handle.status().term).toBe(2)
    expect(node.rpc.last('pre_vote', 'b').request.term).toBe(3)
  })

  it('raises its term at once when the option says so, and asks again, as long as somebody answers', () => {
    const node = rig({ tuning: { stepDownWhenVoteTimedOut: false } })
      .boot()
      .stand()
    node.rpc.last('request_vote', 'b').answer(says.no(2))
    node.rpc.forget()
    node.advance(2000)
    expect(node.handle.status()).toMatchObject({ role: 'candidate', term: 3, votedFor: 'a' })
    expect(node.rpc.log).toEqual(['request_vote>b', 'request_vote>c'])
    expect(node.disk.hardState).toEqual({ term: 3, votedFor: 'a' })
    node.rpc.last('request_vote', 'c').answer(says.no(3))
    node.advance(1999)
    expect(node.handle.status().term).toBe(3)
    node.advance(1)
    expect(node.handle.status().term).toBe(4)
  })

  it('asks first whatever the option says when nobody has answered: it may be deaf, and would depose leader after leader', () => {
    const node = rig({ tuning: { stepDownWhenVoteTimedOut: false } })
      .boot()
      .stand()
    node.rpc.last('request_vote', 'b').answer(says.no(2))
    node.advance(2000)
    expect(node.handle.status()).toMatchObject({ role: 'candidate', term: 3 })
    node.advance(2000)
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 3 })
  })
})

describe('an answer with a higher term', () => {
  it('ends a pre-vote', () => {
    const node = rig().boot().seekElection()
    node.rpc.last('pre_vote', 'b').answer(says.no(8))
    node.settle()
    expect(node.state).toBe('follower.waiting')
    expect(node.disk.hardState).toEqual({ term: 8, votedFor: null })
  })

  it('ends a candidacy', () => {
    const node = rig().boot().stand()
    node.rpc.last('request_vote', 'b').answer(says.no(8))
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 8, votedFor: null })
    expect(node.heard.at(-2)).toBe('role candidate→follower 8 HIGHER_TERM_RESPONSE')
  })

  it('to an earlier campaign means nothing (trap T6)', () => {
    const node = rig().boot().stand()
    const old = node.rpc.last('request_vote', 'b')
    node.advance(2000).stand()
    old.answer(says.no(3))
    expect(node.settle().handle.status()).toMatchObject({ role: 'candidate', term: 3 })
  })
})

describe('leases hold votes back', () => {
  it('and are collected from those that the deposed leader has released (trap T4, HB-04)', () => {
    const node = rig({ peers: ['a', 'b', 'c', 'd', 'e'], tuning: LEASES })
      .boot()
      .stand()
    const fromOldLeader = node.rpc.last('request_vote', 'b')
    node.rpc.last('request_vote', 'c').answer(says.notWhileMyLeaseHolds(2))
    node.rpc.last('request_vote', 'd').answer(says.notWhileMyLeaseHolds(2))
    node.settle().rpc.forget()
    fromOldLeader.answer(says.deposedAndYes(2, 1))
    node.settle()
    expect(node.rpc.calls('request_vote').map(({ to, request }) => [to, request.disruptedLeader])).toEqual([
      ['c', { peer: 'b', term: 1 }],
      ['d', { peer: 'b', term: 1 }],
    ])
    node.rpc.last('request_vote', 'd').answer(says.yes(2))
    expect(node.settle().state).toBe('leader.establishing')
  })
})
