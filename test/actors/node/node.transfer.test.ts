// Transfer of leadership, as the leader sees it: traps T72, T80 to T82 (braft transfer_leadership_to).

import { describe, expect, it } from 'vitest'
import type { RigOptions } from '../support/node-rig.ts'
import { type Asked, type NodeRig, rig } from '../support/node-rig.ts'

const codeOf = (asked: Asked<{ ok: true } | { ok: false; error: { code: string } }>): string | null =>
  asked.outcome === null ? null : asked.outcome.ok ? 'ok' : asked.outcome.error.code

const leader = (options: RigOptions = {}): NodeRig => rig(options).boot().establish()
const told = (node: NodeRig) => node.rpc.calls('timeout_now').map(({ to, request }) => ({ to, ...request }))

describe('a transfer', () => {
  it('tells a target that has everything at once, and resolves when it leads', () => {
    const node = leader()
    const asked = node.transfer('b')
    expect(node.state).toBe('leader.transferring.told')
    expect(told(node)).toEqual([{ to: 'b', term: 2, oldLeaderSteppedDown: false }])
    node.requestVote('b', { term: 3, lastLogIndex: 1, lastLogTerm: 2 })
    node.settle()
    expect([node.state, asked.outcome]).toEqual(['follower.waiting', null])
    node.heartbeat('b', { term: 3 })
    expect(asked.outcome).toEqual({ ok: true, leader: 'b', term: 3 })
    expect(node.machine.calls.filter((call) => call.includes('leader'))).toEqual([
      'leaderStart 2',
      'leaderStop TRANSFER',
    ])
  })

  it('brings the target up to date first, and waits until all of it is committed', () => {
    const node = leader({ peers: ['a', 'b', 'c', 'd', 'e'] })
    const before = node.propose({ put: 1 })
    node.settle()
    node.transfer('b')
    expect([node.state, told(node)]).toEqual(['leader.transferring.catchingUp', []])
    node.acknowledge('b')
    expect([node.status.commitIndex, told(node)]).toEqual([1, []])
    node.acknowledge('c')
    expect([codeOf(before), told(node).map(({ to }) => to)]).toEqual(['ok', ['b']])
  })

  it('takes no proposals meanwhile, also none that wait to be appended, and names the target', () => {
    const node = leader()
    const { core } = node.handle
    core.send({ type: 'transfer', to: 'b', atMs: node.clock.nowMs(), asked: () => {} })
    const { lastIndex } = node.status
    const waiting = node.propose({ put: 1 })
    const wrongTerm = node.propose({ put: 2 }, 7)
    node.settle()
    for (const { outcome } of [waiting, wrongTerm])
      expect(outcome).toMatchObject({
        ok: false,
        error: { code: 'BUSY', outcome: 'not-applied', retryable: true, leader: 'b' },
      })
    expect([node.status.lastIndex, node.state]).toEqual([lastIndex, 'leader.transferring.told'])
  })

  it('keeps heartbeats, check-quorum and reads by index, and gives up the lease', () => {
    const node = leader({ tuning: { leaderLease: true } })
    node.advance(100)
    for (const call of node.rpc.calls('heartbeat'))
      if (call.isOpen) call.answer({ term: 2, success: true, lastLogIndex: 1 })
    expect(node.status.leaseValid).toBe(true)
    node.transfer('b')
    expect(node.status.leaseValid).toBe(false)
    const byLease = node.query('q', 'lease')
    const byIndex = node.query('q')
    node.settle()
    expect(codeOf(byLease)).toBe('LEASE_EXPIRED')
    for (const call of node.rpc.calls('heartbeat'))
      if (call.isOpen) call.answer({ term: 2, success: true, lastLogIndex: 1 })
    node.settle()
    expect(codeOf(byIndex)).toBe('ok')
    node.advance(900)
    expect(node.state).toBe('leader.transferring.told')
  })

  it('voids the lease of whoever is asked, also when another answer of the target deposes the leader first', () => {
    const node = leader({ tuning: { leaderLease: true } })
    node.transfer('b')
    node.advance(100)
    node.rpc.last('heartbeat', 'b').answer({ term: 3, success: false, lastLogIndex: 1 })
    expect(node.settle().state).toBe('follower.waiting')
    const answer = node.requestVote('b', { term: 3, lastLogIndex: 1, lastLogTerm: 2 })
    node.settle()
    expect(answer.response).toMatchObject({ granted: true, term: 3, disrupted: true, previousTerm: 2 })
    // Of a later term it has nothing to say: somebody else may have led meanwhile.
    const later = node.requestVote('c', { term: 5, lastLogIndex: 1, lastLogTerm: 2 })
    node.settle()
    expect(later.response).toMatchObject({ granted: true, disrupted: false })
  })

  it('that comes to nothing ends after an election timeout: the same term goes on with a new lease', () => {
    const node = leader({ tuning: { leaderLease: true, maxClockDriftMs: 0 } })
    const beat = () => {
      node.advance(100)
      for (const call of node.rpc.calls('heartbeat'))
        if (call.isOpen) call.answer({ term: 2, success: true, lastLogIndex: 1 })
    }
    const asked = node.transfer('b')
    for (let i = 0; i < 9; i++) beat()
    expect([node.state, codeOf(asked)]).toEqual(['leader.transferring.told', null])
    node.advance(100)
    expect([node.state, node.status.term, codeOf(asked)]).toEqual(['leader.serving', 2, 'TIMEOUT'])
    expect(node.status.leaseValid).toBe(false)
    beat()
    expect(node.status.leaseValid).toBe(true)
    expect(node.machine.calls.filter((call) => call.includes('leader'))).toEqual([
      'leaderStart 2',
      'leaderStop TRANSFER',
      'leaderStart 2',
    ])
    const after = node.propose({ put: 1 })
    node.settle().acknowledge()
    expect(codeOf(after)).toBe('ok')
  })

  it('goes on at once when the target declines, and falls when the target is ahead', () => {
    const node = leader()
    const asked = node.transfer('b')
    node.rpc.last('timeout_now', 'b').answer({ term: 2, success: false })
    expect([node.state, codeOf(asked)]).toEqual(['leader.serving', 'TIMEOUT'])
    const again = node.transfer('b')
    node.rpc.last('timeout_now', 'b').answer({ term: 3, success: true })
    node.settle()
    expect([node.status.role, node.status.term, codeOf(again)]).toEqual(['follower', 3, null])
    node.advance(2000)
    expect(codeOf(again)).toBe('TIMEOUT')
  })

  it('whose target loses the election is told so when the old leader leads again', () => {
    const node = leader()
    const asked = node.transfer('b')
    node.requestVote('b', { term: 3, lastLogIndex: 1, lastLogTerm: 2 })
    node.settle()
    node.handle.core.following.release()
    node.advance(1000).lead()
    expect([node.status.role, codeOf(asked)]).toEqual(['leader', 'TIMEOUT'])
  })
})

describe('a transfer is refused', () => {
  it('where there is nobody to give it, or nothing to give', () => {
    const configuration = { learners: ['l'], witnesses: ['c'], priorities: { d: 0 } }
    const node = leader({ peers: ['a', 'b', 'c', 'd'], configuration })
    const codes = ['a', 'l', 'c', 'd', 'x'].map((to) => codeOf(node.transfer(to)))
    expect(codes).toEqual(['ok', 'INVALID', 'INVALID', 'INVALID', 'INVALID'])
    const follower = rig().boot().follow('b', 2)
    expect(codeOf(follower.transfer('b'))).toBe('NOT_LEADER')
  })

  it('before the first entry of the term is applied, and while another runs', () => {
    const node = rig().boot().lead()
    expect(codeOf(node.transfer('b'))).toBe('BUSY')
    node.acknowledge()
    node.transfer('b')
    expect(codeOf(node.transfer('c'))).toBe('BUSY')
  })

  it('towards a target that does not answer', () => {
    const node = leader()
    node.advance(100)
    node.rpc.last('heartbeat', 'b').fail('TIMEOUT')
    expect(codeOf(node.transfer('b'))).toBe('UNREACHABLE')
    expect(node.state).toBe('leader.serving')
  })

  it('and answered when the node ends', () => {
    const node = leader()
    const asked = node.transfer('b')
    node.shutdown().advance(3000)
    expect(codeOf(asked)).toBe('SHUTDOWN')
    expect(codeOf(node.transfer('b'))).toBe('SHUTDOWN')
  })
})
