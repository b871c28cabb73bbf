// A leader that did not run for a while (stopped, swapped out, in a long collection): followers wait for timeout + drift,
// so it asks once before it leaves. Its lease knows no such patience.

import { describe, expect, it } from 'vitest'
import { type NodeRig, rig } from '../support/node-rig.ts'

const yes = { term: 2, success: true, lastLogIndex: 1, conflictTerm: 0, conflictIndex: 0 }

/** Answers every heartbeat that is open. */
function answerBeats(node: NodeRig): void {
  for (const call of node.rpc.calls('heartbeat')) if (call.isOpen) call.answer(yes)
  node.settle()
}

/** A leader that has been in touch with everybody until now. */
function leader(tuning = {}): NodeRig {
  const node = rig({ tuning }).boot().establish()
  for (let i = 0; i < 3; i++) {
    node.advance(100)
    answerBeats(node)
  }
  return node
}

describe('a leader that slept for longer than the election timeout', () => {
  it.each([1050, 1200, 1900])('(%i ms) asks everybody at once, and stays when they answer', (sleptMs) => {
    const node = leader()
    node.rpc.forget()
    node.clock.sleep(sleptMs)
    node.advance(0)
    expect(node.state).toBe('leader.serving')
    expect(node.rpc.calls('heartbeat').map(({ to }) => to)).toEqual(expect.arrayContaining(['b', 'c']))
    answerBeats(node)
    for (let i = 0; i < 30; i++) {
      node.advance(100)
      answerBeats(node)
    }
    expect(node.state).toBe('leader.serving')
    expect(node.handle.status().term).toBe(2)
  })

  it('leaves after one heartbeat round when nobody answers', () => {
    const node = leader()
    node.clock.sleep(1200)
    node.advance(0)
    node.advance(99)
    expect(node.state).toBe('leader.serving')
    node.advance(2)
    expect(node.state).toBe('follower.waiting')
    expect(node.heard.at(-2)).toBe('role leader→follower 2 QUORUM_LOST')
  })

  it('reads by lease only when the answers are there: patience is no lease', () => {
    const node = leader({ leaderLease: true })
    node.clock.sleep(1200)
    const read = node.query('q', 'lease')
    node.settle().advance(0)
    expect(node.state).toBe('leader.serving')
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'LEASE_EXPIRED' } })
  })
})

it('a leader that ran all the time leaves as soon as a quorum has been silent for the election timeout', () => {
  const node = leader()
  node.advance(700)
  expect(node.state).toBe('leader.serving')
  node.advance(1001)
  expect(node.state).toBe('follower.waiting')
})

it('a follower that slept reads its mail before it judges its leader', () => {
  const node = rig().boot().follow('b', 2)
  node.clock.sleep(5000)
  // The heartbeat lies in the socket, which is read between the timers of a turn and what they have deferred.
  const defer = node.clock.defer.bind(node.clock)
  let isRead = false
  node.clock.defer = (run) =>
    defer(() => {
      if (!isRead) node.heartbeat('b', { term: 2 })
      isRead = true
      run()
    })
  node.advance(0)
  expect(isRead).toBe(true)
  expect(node.state).toBe('follower.waiting')
  expect(node.rpc.calls('pre_vote')).toEqual([])
})
