// The status of a node: true in every role, and never at the mercy of user code.

import { describe, expect, it } from 'vitest'
import { rig } from '../actors/support/node-rig.ts'

describe('a status', () => {
  it('survives a state machine whose hash throws, and one that has none', () => {
    const throwing = {
      apply: () => null,
      stateHash: () => {
        throw new Error('no')
      },
    }
    expect(rig({ stateMachine: throwing }).boot().handle.status().stateHash).toBeNull()
    expect(
      rig({ stateMachine: { apply: () => null } })
        .boot()
        .handle.status().stateHash,
    ).toBeNull()
    expect(
      rig({ stateMachine: { apply: () => null, stateHash: () => 'abc' } })
        .boot()
        .handle.status().stateHash,
    ).toBe('abc')
  })

  it('is there before the log is', () => {
    expect(rig().handle.status()).toMatchObject({
      role: 'uninitialized',
      state: 'uninitialized',
      firstIndex: 1,
      lastIndex: 0,
      undurableBytes: 0,
    })
  })

  it('tells of contact only when somebody has answered', () => {
    const node = rig().boot().lead()
    expect(node.handle.status().replicators.map(({ lastContactMs }) => lastContactMs)).toEqual([null, null])
    node.advance(40)
    node.acknowledge('b')
    expect(node.handle.status().replicators).toMatchObject([
      { peer: 'b', lastContactMs: expect.any(Number) },
      { peer: 'c', lastContactMs: null },
    ])
  })

  it('names the place in the chart, and no replicators without an office', () => {
    const node = rig().boot().establish()
    expect(node.handle.status()).toMatchObject({ state: 'active.leader.serving' })
    expect(node.handle.status().replicators).toHaveLength(2)
    node.requestVote('b', { term: 9, lastLogIndex: 9, lastLogTerm: 9 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ state: 'active.follower.waiting', replicators: [] })
  })
})
