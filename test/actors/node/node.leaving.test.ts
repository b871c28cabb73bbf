// Members that leave: told, let go of, waited for no more; and whoever alone knows that it is to leave.

import { describe, expect, it } from 'vitest'
import { configurationEntry } from '../../log/support/entries.ts'
import { pulse, spoken, written } from '../support/changing.ts'
import { rig } from '../support/node-rig.ts'

const ABC = ['a', 'b', 'c']

const leader = () => rig().boot().establish()

describe('whoever leaves', () => {
  it('is sent the log until it knows, then no more', () => {
    const node = leader()
    node.changeTo('a', 'b')
    node.acknowledge('b')
    expect(node.status).toMatchObject({ commitIndex: 2, change: null, peers: ['a', 'b'] })
    pulse(node, 'b', 'c')
    expect(spoken(node, 'c', 300)).toBeGreaterThan(0)
    for (let i = 0; i < 30; i++) {
      node.acknowledge('b', 'c')
      node.advance(100)
      pulse(node, 'b', 'c')
    }
    expect(spoken(node, 'c', 500)).toBe(0)
    expect(node.status.replicators.map(({ peer }) => peer)).toEqual(['b'])
  })

  it('is sent it for a bounded time when it does not answer', () => {
    const node = leader()
    node.changeTo('a', 'b')
    node.acknowledge('b')
    for (let i = 0; i < 55; i++) {
      node.advance(100)
      pulse(node, 'b')
    }
    expect(spoken(node, 'c', 500)).toBe(0)
  })

  it('and comes back at once begins anew: what its files held counts no more', () => {
    const node = leader()
    node.changeTo('a', 'b')
    node.acknowledge('b', 'c')
    const asked = node.changeTo('a', 'b', 'c')
    expect(node.status.replicators.find(({ peer }) => peer === 'c')).toMatchObject({ matchIndex: 0 })
    expect(asked.outcome).toBeNull()
    node.acknowledge('b', 'c')
    expect(asked.outcome).toMatchObject({ ok: true })
  })
})

it('a removed member forgets a leader that does not speak to it any more, and keeps nobody waiting', () => {
  const node = rig({ id: 'c', peers: ABC }).boot()
  node.append('a', { term: 2, entries: [configurationEntry(1, 2, ABC)], committedIndex: 1 })
  const read = node.query('q')
  node.settle()
  // What is read is still to come when the leader lets go of this member.
  node.rpc.last('read_index', 'a').answer({ term: 2, index: 9 })
  node.append('a', {
    term: 2,
    prevLogIndex: 1,
    prevLogTerm: 2,
    entries: [configurationEntry(2, 2, ['a', 'b'])],
    committedIndex: 2,
  })
  node.settle()
  expect(node.status).toMatchObject({ membership: 'removed', leader: 'a', commitIndex: 2 })
  expect(read.outcome).toBeNull()
  node.advance(5000)
  expect(read.outcome).toMatchObject({ ok: false, error: { code: 'NO_LEADER', outcome: 'not-applied' } })
  expect(node.status).toMatchObject({ role: 'follower', leader: null })
  expect(node.rpc.calls('pre_vote')).toEqual([])
})

describe('the only one that has the entry by which it leaves', () => {
  const aboutToGo = () => ({
    hardState: { term: 2, votedFor: null },
    entries: [configurationEntry(1, 2, ['a', 'b']), configurationEntry(2, 2, ['b'])],
  })

  it('campaigns all the same, finishes the change, and goes (thesis 4.2.2)', () => {
    const node = rig({ peers: ['a', 'b'], disk: aboutToGo() })
      .boot()
      .lead()
    expect(node.status).toMatchObject({ role: 'leader', peers: ['b'], change: { stage: 'stable' } })
    node.acknowledge('b')
    expect(written(node)).toEqual(['>b', '>b'])
    expect(node.status).toMatchObject({ role: 'follower', membership: 'removed', commitIndex: 3 })
    node.rpc.forget()
    node.advance(60_000)
    expect(node.rpc.calls('pre_vote')).toEqual([])
  })

  it('does not count itself', () => {
    const node = rig({ peers: ['a', 'b'], disk: aboutToGo() })
      .boot()
      .seekElection()
    expect(node.rpc.calls('pre_vote').map(({ to }) => to)).toEqual(['b'])
    node.advance(10_000)
    expect(node.status).toMatchObject({ role: 'follower', term: 2 })
  })
})
