// Elections that somebody asks for, timeouts that are set anew, and priorities, as one member sees them (braft vote,
// reset_election_timeout_ms).

import { describe, expect, it } from 'vitest'
import { type NodeRig, type RigOptions, rig } from '../support/node-rig.ts'

const HELD = { granted: false, rejectedByLease: true, previousTerm: 2 }
const tuning = { electionTimeoutMs: 500, maxClockDriftMs: 100, leaderLease: true }

function follower(options: RigOptions = {}): NodeRig {
  return rig({ tuning, ...options })
    .boot()
    .follow('b', 2)
}

describe('a follower that is asked to stand for election', () => {
  it('asks at once, and counts votes held back by leases when the leader would give way', () => {
    const node = follower()
    expect(node.vote()).toBeNull()
    expect([node.state, node.status.leader]).toEqual(['follower.preVoting', 'b'])
    node.rpc.last('pre_vote', 'c').answer({ term: 2, ...HELD, disrupted: false })
    expect(node.state).toBe('follower.preVoting')
    node.rpc.last('pre_vote', 'b').answer({ term: 2, ...HELD, disrupted: true })
    node.settle()
    expect([node.status.role, node.status.term]).toEqual(['candidate', 3])
  })

  it('goes on following when it is not heard, and says nothing of that in its next campaign', () => {
    const node = follower()
    node.vote()
    for (let i = 0; i < 20; i++) {
      node.heartbeat('b', { term: 2 })
      node.advance(100)
    }
    expect([node.state, node.status.term]).toEqual(['follower.waiting', 2])
    node.seekElection()
    node.rpc.last('pre_vote', 'c').answer({ term: 2, ...HELD, disrupted: false })
    node.rpc.last('pre_vote', 'b').answer({ term: 2, ...HELD, disrupted: true })
    expect(node.state).toBe('follower.preVoting')
  })

  it('keeps the shorter timeout until it is reset, and promises last as long as before', () => {
    const node = follower()
    node.vote(50)
    expect(node.handle.core.tuning).toMatchObject({ electionTimeoutMs: 50, maxClockDriftMs: 550 })
    node.handle.retime({ electionTimeoutMs: 500 })
    expect(node.handle.core.tuning).toMatchObject({ electionTimeoutMs: 500, maxClockDriftMs: 100 })
    node.handle.retime({ electionTimeoutMs: 900, maxClockDriftMs: 200 })
    expect(node.handle.core.tuning).toMatchObject({ electionTimeoutMs: 900, maxClockDriftMs: 200 })
    expect(() => node.handle.retime({ electionTimeoutMs: 1101 })).toThrow('from 10 to 1100')
    expect(() => node.handle.retime({ electionTimeoutMs: 100, maxClockDriftMs: -1 })).toThrow(
      'maxClockDriftMs',
    )
    expect(() => node.handle.vote(5000, () => {})).toThrow('not 5000')
  })

  it('says why it does not', () => {
    expect(rig().boot().lead().vote()).toBe('INVALID')
    expect(rig().boot().stand().vote()).toBe('BUSY')
    expect(follower({ configuration: { priorities: { a: 0 } } }).vote()).toBe('INVALID')
    expect(
      rig({ peers: ['b', 'c'] })
        .boot()
        .vote(),
    ).toBe('INVALID')
    const node = follower()
    node.shutdown().settle()
    expect(node.vote()).toBe('SHUTDOWN')
  })
})

describe('priorities', () => {
  it('let the higher one stand first', () => {
    const waits = (priorities: Record<string, number>): number => {
      const node = follower({ configuration: { priorities } })
      // The timer has been aimed since this leader is followed.
      for (let i = 0; i < 20; i++) {
        node.heartbeat('b', { term: 2 })
        node.advance(100)
      }
      const startedMs = node.clock.nowMs()
      for (let i = 0; i < 500 && !node.state.includes('preVoting'); i++) node.advance(10)
      return node.clock.nowMs() - startedMs
    }
    expect(waits({ c: 200 })).toBeGreaterThan(waits({}) + 400)
    expect(waits({ b: 200 })).toBeLessThan(waits({}) + 200)
  })

  it('of 0 never lead: not after silence, not when told to campaign, not alone', () => {
    const node = follower({ configuration: { priorities: { a: 0 } } }).advance(10_000)
    expect([node.status.role, node.status.term]).toEqual(['follower', 2])
    node.heartbeat('b', { term: 2 })
    expect(node.timeoutNow('b', 2).response).toMatchObject({ term: 2, success: false })
    expect(node.status.role).toBe('follower')
    const alone = rig({ peers: ['a'], configuration: { priorities: { a: 0 } } })
      .boot()
      .advance(10_000)
    expect(alone.state).toBe('follower.waiting')
  })

  const beat = (node: NodeRig): void => {
    node.advance(100)
    for (const call of node.rpc.calls('heartbeat'))
      if (call.isOpen) call.answer({ term: 2, success: true, lastLogIndex: 1 })
  }

  it('make a leader give way, after some time, and more rarely when nothing comes of it', () => {
    const node = rig({ configuration: { priorities: { c: 200 } } })
      .boot()
      .establish()
    const told: number[] = []
    for (let i = 0; i < 150; i++) {
      beat(node)
      const { length } = node.rpc.calls('timeout_now')
      if (length > told.length) told.push(i)
    }
    expect(node.rpc.last('timeout_now', 'c').to).toBe('c')
    const [first = 0, second = 0] = told
    expect([first >= 20, first <= 40, second - first >= 60, node.status.term]).toEqual([true, true, true, 2])
  })

  it('that are equal move nothing', () => {
    const node = rig({ configuration: { priorities: { a: 70, b: 70, c: 60 } } })
      .boot()
      .establish()
    for (let i = 0; i < 100; i++) beat(node)
    expect([node.state, node.rpc.calls('timeout_now').length]).toEqual(['leader.serving', 0])
  })
})
