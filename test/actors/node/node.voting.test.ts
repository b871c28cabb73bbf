// Answering those who seek election: votes, pre-votes, TimeoutNow; traps T1, T3, T4,
// T5, T11, T13, T15 and T17.

import { describe, expect, it } from 'vitest'
import { configurationEntry } from '../../log/support/entries.ts'
import { says } from '../support/fake-rpc.ts'
import { rig } from '../support/node-rig.ts'

const LEASES = { leaderLease: true } as const

describe('TimeoutNow', () => {
  it('makes a follower stand at once, without a pre-vote', () => {
    const node = rig().boot().follow('b', 2)
    node.storage.hold('hardState')
    const answer = node.timeoutNow('b', 2)
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'candidate', term: 3, votedFor: 'a' })
    expect(answer.outcome).toBeNull()
    node.storage.release()
    node.settle()
    expect(node.rpc.log).toEqual(['request_vote>b', 'request_vote>c'])
    expect(node.heard.slice(-2)).toEqual(['role follower→candidate 3 TIMEOUT_NOW', 'leader nobody 3'])
    expect(node.machine.calls.at(-1)).toBe('stopFollowing b 2 TIMEOUT_NOW')
  })

  it('is answered with the new term, so that the old leader steps down (leases off, trap T15)', () => {
    const node = rig().boot().follow('b', 2)
    const answer = node.timeoutNow('b', 2)
    node.settle()
    expect(answer.response).toEqual({ success: true, term: 3 })
  })

  it('is answered with the old term while leases are on (trap T15)', () => {
    const node = rig({ tuning: LEASES }).boot().follow('b', 2)
    const answer = node.timeoutNow('b', 2)
    node.settle()
    expect(answer.response).toEqual({ success: true, term: 2 })
  })

  it('of a leader that has stepped down voids its lease, here and at the other voters', () => {
    const node = rig({ tuning: LEASES }).boot().follow('b', 2)
    node.timeoutNow('b', 2, true)
    node.settle()
    const [asked] = node.rpc.calls('request_vote')
    expect(asked?.request.disruptedLeader).toEqual({ peer: 'b', term: 2 })
    node.rpc.last('request_vote', 'c').answer(says.yes(3))
    expect(node.settle().state).toBe('leader.establishing')
  })

  it('of a leader that is still there leaves the own vote promised to it', () => {
    const node = rig({ tuning: LEASES }).boot().follow('b', 2)
    node.timeoutNow('b', 2, false)
    node.settle()
    expect(node.rpc.last('request_vote', 'c').request.disruptedLeader).toBeNull()
    node.rpc.last('request_vote', 'c').answer(says.yes(3))
    expect(node.settle().state).toBe('candidate.requestingVotes')
    // The leader itself grants: it has released us as well (trap T5).
    node.rpc.last('request_vote', 'b').answer(says.deposedAndYes(3, 2))
    expect(node.settle().state).toBe('leader.establishing')
  })

  it('of an earlier term is refused', () => {
    const node = rig().boot().follow('b', 2)
    const answer = node.timeoutNow('b', 1)
    expect(answer.response).toEqual({ success: false, term: 2 })
    expect(node.state).toBe('follower.waiting')
  })

  it('of a higher term is refused, but the term is taken', () => {
    const node = rig().boot().follow('b', 2)
    const answer = node.timeoutNow('c', 7)
    node.settle()
    expect(answer.response).toEqual({ success: false, term: 7 })
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 7, leader: null })
  })

  it('is refused by a member that its configuration does not list (trap T15)', () => {
    const node = rig({ id: 'x', peers: ['a', 'b'] })
      .boot()
      .follow('b', 2)
    expect(node.timeoutNow('b', 2).response).toEqual({ success: false, term: 2 })
  })

  it.each(['candidate', 'leader'] as const)('is refused by a %s of the same term', (role) => {
    const node = rig().boot().stand()
    if (role === 'leader') node.lead()
    const answer = node.timeoutNow('b', 2)
    node.settle()
    expect(answer.response).toEqual({ success: false, term: 2 })
    expect(node.handle.status()).toMatchObject({ role, term: 2 })
  })

  it.each(['candidate', 'leader'] as const)('of a higher term deposes a %s', (role) => {
    const node = rig().boot().stand()
    if (role === 'leader') node.lead()
    const answer = node.timeoutNow('b', 5)
    node.settle()
    expect(answer.response).toEqual({ success: false, term: 5 })
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 5 })
  })
})

describe('a vote request with a higher term', () => {
  it.each(['follower', 'candidate', 'leader'] as const)(
    'deposes a %s even when its log is too old',
    (role) => {
      const node = rig({
        disk: {
          hardState: { term: 3, votedFor: null },
          entries: [configurationEntry(1, 3, ['a', 'b', 'c'])],
        },
      })
      node.boot()
      if (role === 'candidate') node.stand()
      if (role === 'leader') node.lead()
      const answer = node.requestVote('b', { term: 9 })
      node.settle()
      expect(node.handle.status()).toMatchObject({ role: 'follower', term: 9, votedFor: null, leader: null })
      expect(answer.response).toMatchObject({ granted: false, term: 9, disrupted: role === 'leader' })
      expect(node.disk.hardState).toEqual({ term: 9, votedFor: null })
    },
  )

  it('that a lease holds back changes neither term nor role (trap T3)', () => {
    const node = rig({ tuning: LEASES }).boot().follow('b', 2)
    const answer = node.requestVote('c', { term: 9 })
    expect(answer.response).toMatchObject({ granted: false, rejectedByLease: true, term: 2 })
    expect(node.handle.status()).toMatchObject({ term: 2, leader: 'b', votedFor: null })
  })

  it('that names the deposed leader overcomes the lease, if it is the leader of this term (trap T4)', () => {
    const node = rig({ tuning: LEASES }).boot().follow('b', 2)
    const wrongPeer = node.requestVote('c', { term: 3, disruptedLeader: { peer: 'x', term: 2 } })
    const wrongTerm = node.requestVote('c', { term: 3, disruptedLeader: { peer: 'b', term: 1 } })
    expect([wrongPeer.response, wrongTerm.response]).toMatchObject([
      { rejectedByLease: true },
      { rejectedByLease: true },
    ])
    const right = node.requestVote('c', { term: 3, disruptedLeader: { peer: 'b', term: 2 } })
    node.settle()
    expect(right.response).toMatchObject({ granted: true, term: 3 })
  })

  it('tells the candidate which term the deposed leader led', () => {
    const node = rig().boot().lead()
    const answer = node.requestVote('b', { term: 7, lastLogIndex: 9, lastLogTerm: 9 })
    node.settle()
    expect(answer.response).toMatchObject({ granted: true, disrupted: true, previousTerm: 2, term: 7 })
  })
})

describe('granting a vote', () => {
  it('ends what the voter was doing, in the same term as well', () => {
    const node = rig().boot().seekElection()
    const answer = node.requestVote('b', { term: 1 })
    node.settle()
    expect(answer.response).toMatchObject({ granted: true, term: 1 })
    expect(node.state).toBe('follower.waiting')
    expect(node.handle.status().votedFor).toBe('b')
  })

  it('tells the user with the old term, before the new one is taken (trap T17)', () => {
    const node = rig().boot().follow('b', 2)
    node.requestVote('c', { term: 5 })
    node.settle()
    expect(node.machine.calls).toEqual([
      'startFollowing b 2 NEW_LEADER',
      'stopFollowing b 2 VOTED_FOR_CANDIDATE',
    ])
    expect(node.heard.at(-1)).toBe('leader nobody 5')
  })

  it('again to the same candidate is the same vote, and says so', () => {
    const node = rig().boot()
    node.requestVote('b', { term: 2 })
    node.settle()
    expect(node.requestVote('b', { term: 2 }).response).toMatchObject({ granted: true })
    expect(node.requestVote('c', { term: 2 }).response).toMatchObject({ granted: false })
  })

  it('does not move the election timer (trap T1)', () => {
    const node = rig().boot().advance(900)
    node.requestVote('b', { term: 2 })
    node.settle().advance(100)
    expect(node.state).toBe('follower.preVoting')
  })

  it('is judged by the durable log, not by what is still on its way (trap T11)', () => {
    const node = rig().boot()
    node.storage.hold('append')
    node.append('b', { term: 2, entries: [configurationEntry(1, 2, ['a', 'b', 'c'])] })
    node.settle()
    const answer = node.requestVote('c', { term: 3 })
    node.storage.release()
    node.settle()
    expect(answer.response).toMatchObject({ granted: true })
  })
})

describe('a pre-vote of somebody else', () => {
  it('changes neither term nor vote, whoever asks and how often (trap T13)', () => {
    const node = rig().boot()
    const answers = [node.preVote('b', { term: 9 }), node.preVote('c', { term: 9 })]
    expect(answers.map(({ response }) => response)).toMatchObject([
      { granted: true, term: 1 },
      { granted: true, term: 1 },
    ])
    expect(node.handle.status()).toMatchObject({ term: 1, votedFor: null })
    expect(node.disk.hardState).toBeNull()
  })

  it('is refused while the leader is heard, until it was silent for one election timeout', () => {
    const node = rig().boot().follow('b', 2)
    expect(node.preVote('c', { term: 3 }).response).toMatchObject({ granted: false, rejectedByLease: true })
    node.advance(999)
    expect(node.preVote('c', { term: 3 }).response).toMatchObject({ granted: false })
    node.advance(1)
    expect(node.preVote('c', { term: 3 }).response).toMatchObject({ granted: true })
  })

  it('is refused by a leader that a quorum answers, and granted by one that nobody answers', () => {
    const node = rig().boot().establish()
    const ask = { term: 3, lastLogIndex: 1, lastLogTerm: 2 }
    expect(node.preVote('b', ask).response).toMatchObject({
      granted: false,
      rejectedByLease: true,
      disrupted: true,
    })
    node.advance(1000)
    expect(node.preVote('b', ask).response).toMatchObject({ granted: false })
    node.advance(1)
    expect(node.preVote('b', ask).response).toMatchObject({ granted: true })
    expect(node.handle.status().role).toBe('leader')
  })
})

describe('a vote is given once, by one verdict (INV-3)', () => {
  /** Follows b under its lease, which ends at some look at the clock: `beforeEndMs` before that it is asked. */
  function askedNearTheEndOfALease(beforeEndMs: number) {
    const node = rig({ tuning: LEASES }).boot().follow('b', 2)
    node.clock.sleep(2000 - beforeEndMs)
    node.clock.perLookMs = 0.001
    const answer = node.requestVote('c', { term: 3, lastLogIndex: 9, lastLogTerm: 2 })
    node.settle()
    return { node, answer }
  }

  it('also when the lease of the leader ends between two looks at the clock', () => {
    for (let microseconds = 0; microseconds <= 12; microseconds++) {
      const { node, answer } = askedNearTheEndOfALease(microseconds / 1000)
      const { term, votedFor } = node.handle.status()
      if (!('granted' in answer.response)) throw new Error('no answer to a vote request')
      expect([
        answer.response.granted,
        answer.response.term,
        node.disk.hardState ?? { term, votedFor },
      ]).toEqual(
        answer.response.granted
          ? [true, 3, { term: 3, votedFor: 'c' }]
          : [false, 2, { term: 2, votedFor: null }],
      )
    }
  })

  it('and is told again to the same candidate, but to no other', () => {
    const node = rig().boot().follow('b', 2)
    node.requestVote('c', { term: 3 })
    node.settle()
    const again = node.requestVote('c', { term: 3 })
    const other = node.requestVote('b', { term: 3 })
    node.settle()
    expect(again.response).toMatchObject({ granted: true, term: 3 })
    expect(other.response).toMatchObject({ granted: false, term: 3 })
  })
})

it('a yes that names another term is no vote', () => {
  const node = rig().boot().stand()
  const { term } = node.handle.status()
  node.rpc.last('request_vote', 'b').answer({ ...says.yes(term), term: term - 1 })
  expect(node.settle().state).toBe('candidate.requestingVotes')
  node.rpc.last('request_vote', 'c').answer(says.yes(term))
  expect(node.settle().state).toBe('leader.establishing')
})
