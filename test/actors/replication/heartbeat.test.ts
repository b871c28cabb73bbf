// Heartbeats: traps T23, T31, T33.

import { describe, expect, it } from 'vitest'
import { type NodeRig, rig } from '../support/node-rig.ts'

const leader = () =>
  rig({ peers: ['a', 'b'] })
    .boot()
    .establish()
const beats = (node: NodeRig) => node.rpc.calls('heartbeat')
const errors = (node: NodeRig) => node.handle.status().replicators[0]?.consecutiveErrors

describe('heartbeats', () => {
  it('go out once per interval, each after the answer to the one before', () => {
    const node = leader().advance(99)
    expect(beats(node)).toHaveLength(0)
    node.advance(1)
    expect(beats(node)).toHaveLength(1)
    node.advance(300)
    expect(beats(node)).toHaveLength(1)
    beats(node)[0]?.answer({ term: 2, success: true, lastLogIndex: 1 })
    node.advance(99)
    expect(beats(node)).toHaveLength(1)
    node.advance(1)
    expect(beats(node)).toHaveLength(2)
  })

  it('are given up after half an election timeout, and count as errors', () => {
    const node = leader().advance(100)
    expect(beats(node)[0]?.timeoutMs).toBe(500)
    beats(node)[0]?.fail('TIMEOUT')
    expect(errors(node.settle())).toBe(1)
    node.advance(100)
    expect(beats(node)).toHaveLength(2)
    beats(node)[1]?.answer({ term: 2, success: true, lastLogIndex: 1 })
    expect(errors(node.settle())).toBe(0)
  })

  it('name the position that the follower is known to share, and the commit index', () => {
    const node = leader().advance(100)
    expect(beats(node)[0]?.request).toEqual({
      term: 2,
      prevLogIndex: 1,
      prevLogTerm: 2,
      committedIndex: 1,
      entries: [],
    })
  })

  it('name no position while none is known (trap T33)', () => {
    const node = rig({ peers: ['a', 'b'] })
      .boot()
      .lead()
      .advance(100)
    expect(beats(node)[0]?.request).toMatchObject({ prevLogIndex: 0, prevLogTerm: 0 })
  })

  it('that an idle follower refuses tell that it needs a snapshot, when the log is compacted: no write has to come', () => {
    const node = leader()
    for (let i = 0; i < 5; i++) node.propose({ put: i })
    node.settle().acknowledge()
    node.handle.core.life.logActor?.send({ type: 'truncatePrefix', firstKept: 5 })
    node.advance(100)
    beats(node).at(-1)?.answer({ term: 2, success: false, lastLogIndex: 0 })
    node.settle()
    expect(node.handle.status().replicators[0]).toMatchObject({ state: 'blocked', nextIndex: 1 })
  })

  it('that an idle follower refuses tell that its disk was wiped: it is offered the log again', () => {
    const node = leader().advance(100)
    const before = node.rpc.calls('append_entries').length
    beats(node)[0]?.answer({ term: 2, success: false, lastLogIndex: 0 })
    node.settle()
    const offered = node.rpc.calls('append_entries').slice(before)
    expect(offered.map(({ request }) => request)).toMatchObject([
      { prevLogIndex: 0, entries: [{ index: 1 }] },
    ])
  })

  it('that are answered with a mismatch are as good as any: replication is not disturbed (trap T31)', () => {
    const node = leader()
    node.propose({ put: 1 })
    node.settle().advance(100)
    const before = node.rpc.calls('append_entries').length
    beats(node)[0]?.answer({ term: 2, success: false, lastLogIndex: 0 })
    node.settle()
    expect(node.handle.status().replicators[0]).toMatchObject({
      state: 'replicating',
      consecutiveErrors: 0,
      lastContactMs: 0,
    })
    expect(node.rpc.calls('append_entries')).toHaveLength(before)
  })

  it('count as contact at the time they were sent (trap T23)', () => {
    const node = leader().advance(150)
    beats(node)[0]?.answer({ term: 2, success: true, lastLogIndex: 1 })
    expect(node.settle().handle.status().replicators[0]?.lastContactMs).toBe(50)
  })

  it('do not credit entries, whatever the answer says', () => {
    const node = leader()
    node.propose({ put: 1 })
    node.settle().advance(100)
    beats(node)[0]?.answer({ term: 2, success: true, lastLogIndex: 2 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ commitIndex: 1, replicators: [{ matchIndex: 1 }] })
  })

  it('go on while frames are stuck, so that a full window does not look like a dead leader', () => {
    const node = leader()
    node.propose({ put: 1 })
    node.settle()
    for (let i = 0; i < 30; i++) {
      node.advance(100)
      for (const call of beats(node))
        if (call.isOpen) call.answer({ term: 2, success: true, lastLogIndex: 1 })
    }
    expect(node.settle().handle.status().role).toBe('leader')
    expect(beats(node).length).toBeGreaterThan(20)
  })

  it('answered with a higher term depose the leader', () => {
    const node = leader().advance(100)
    beats(node)[0]?.answer({ term: 9, success: false, lastLogIndex: 0 })
    expect(node.settle().handle.status()).toMatchObject({ role: 'follower', term: 9 })
  })
})
