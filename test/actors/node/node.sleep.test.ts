// A group that has nothing to say: its heartbeats stop while the processes vouch for its members, and come back after whatever
// happens.

import { describe, expect, it } from 'vitest'
import { type NodeRig, rig } from '../support/node-rig.ts'
import { askToSleep, beatOn, sharing, untilAsked, untilAsleep, vouch } from '../support/sleeping.ts'

const beats = (node: NodeRig) => node.rpc.calls('heartbeat').length
const asked = (node: NodeRig) => node.rpc.wishes.length
const LEASES = { leaderLease: true } as const

describe('a leader', () => {
  it('sends nothing to a follower that sleeps, and checks its contact no more', () => {
    const node = sharing()
    const wish = untilAsleep(node)
    expect(wish).toMatchObject({ group: 'g', term: 2, lastIndex: 1 })
    const before = beats(node)
    for (let i = 0; i < 50; i++) {
      vouch(node)
      node.advance(100)
    }
    expect([beats(node) - before, node.handle.status().role]).toEqual([0, 'leader'])
    // The timer of check-quorum rests: nothing wakes for this group at all.
    expect(node.clock.pendingTimers).toBe(0)
  })

  it('beats again as soon as the process of the follower does not vouch for it, and leaves if nobody answers', () => {
    const node = sharing()
    const wish = untilAsleep(node)
    node.advance(5000)
    const before = beats(node)
    wish.roused()
    expect([beats(node.settle()) - before, node.handle.status().role]).toEqual([1, 'leader'])
    node.advance(2500)
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 2 })
  })

  it('counts what the process of a follower says for as long as that sleeps', () => {
    const node = sharing()
    const wish = untilAsleep(node)
    const contactMs = () => node.handle.core.office?.followers.get('b')?.progress.lastContactMs
    node.advance(300)
    vouch(node)
    const vouchedMs = node.clock.nowMs()
    expect(contactMs()).toBe(vouchedMs)
    wish.roused()
    node.settle().advance(50)
    vouch(node)
    expect(contactMs()).toBe(vouchedMs)
  })

  it('sends entries to a follower that sleeps, and tells it once what they have led to', () => {
    const node = sharing()
    const wish = untilAsleep(node)
    node.propose({ put: 1 })
    node.settle().acknowledge()
    expect([wish.sleepsOn(node.clock.nowMs()), node.handle.status().commitIndex]).toEqual([true, 2])
    const before = beats(node)
    wish.pulse()
    expect(beats(node.settle()) - before).toBe(1)
    expect(node.rpc.last('heartbeat', 'b').request).toMatchObject({ prevLogIndex: 2, committedIndex: 2 })
    beatOn(node, 20)
    wish.pulse()
    expect([beats(node.settle()) - before, wish.sleepsOn(node.clock.nowMs())]).toEqual([1, true])
  })

  it('watches a follower again that does not answer what it is sent', () => {
    const node = sharing()
    const wish = untilAsleep(node)
    node.propose({ put: 1 })
    node.settle().advance(900)
    expect(wish.sleepsOn(node.clock.nowMs())).toBe(true)
    node.advance(200)
    expect(wish.sleepsOn(node.clock.nowMs())).toBe(false)
  })

  it('does not sleep before its follower knows what is committed', () => {
    const node = sharing()
    untilAsleep(node)
    node.propose({ put: 1 })
    node.settle().acknowledge()
    node.rpc.wishes.at(-1)?.roused()
    const before = asked(node)
    // It answers that its log ends earlier than the leader has it.
    for (let i = 0; i < 20; i++) {
      node.advance(100)
      for (const call of node.rpc.calls('heartbeat'))
        if (call.isOpen) call.answer({ term: 2, success: false, lastLogIndex: 1 })
      node.settle()
    }
    expect(asked(node)).toBe(before)
  })

  it.each([
    ['alone in its process', isAlone, {}],
    ['with leases', () => {}, { tuning: LEASES }],
    [
      'that somebody should replace',
      () => {},
      { configuration: { peers: ['a', 'b'], oldPeers: [], priorities: { b: 5, a: 1 } } },
    ],
    ['whose follower has other files than are recorded', (node: NodeRig) => comesBackWith(node, 77), {}],
  ])('%s stays awake', (_, change, options) => {
    const node = sharing(options)
    change(node)
    beatOn(node, 3000)
    expect([asked(node), beats(node) > 20]).toEqual([0, true])
  })

  it('sleeps only when it is on record which files its followers have', () => {
    const node = sharing()
    for (let i = 0; i < 80 && asked(node) === 0; i++) {
      node.advance(100)
      for (const call of node.rpc.calls('heartbeat')) {
        const { term, prevLogIndex } = call.request
        if (call.isOpen) call.answer({ term, success: true, lastLogIndex: prevLogIndex, identity: 7 })
      }
      node.settle().acknowledge()
    }
    // The entry that records them came first.
    expect(node.rpc.wishes.at(0)?.lastIndex).toBe(2)
  })

  it('asks again after it was refused, and never while it waits', () => {
    const node = sharing()
    const first = untilAsked(node)
    node.advance(400)
    expect(asked(node)).toBe(1)
    first.done(null)
    expect(untilAsked(node.settle())).not.toBe(first)
  })

  it('is asked for nothing once it is deposed', () => {
    const node = sharing()
    const wish = untilAsleep(node)
    node.heartbeat('b', { term: 9 })
    node.settle()
    expect(wish.sleepsOn(node.clock.nowMs())).toBe(false)
    wish.roused()
    wish.done(node.rpc.vouched)
    expect(node.settle().handle.status()).toMatchObject({ role: 'follower', term: 9 })
  })
})

function isAlone(node: NodeRig): void {
  node.rpc.sharesProcess = false
}

function comesBackWith(node: NodeRig, identity: number): void {
  for (const [told, at] of [
    [identity - 1, 100],
    [identity, 200],
  ] as const) {
    node.advance(at)
    for (const call of node.rpc.calls('heartbeat'))
      if (call.isOpen) call.answer({ term: 2, success: true, lastLogIndex: 1, identity: told })
    node.settle()
  }
}

describe('a follower', () => {
  const follower = (options = {}) => rig(options).boot().follow('b', 2)
  const sleeping = () => {
    const node = follower()
    const sleep = askToSleep(node, 'b', 2, 0)
    if (sleep === null) throw new Error('It does not sleep.')
    return { node, sleep }
  }

  it('does not fall asleep before its leader has heard that it takes commands again', () => {
    const node = follower()
    node.heartbeat('b', { term: 2 })
    node.settle().handle.setReadonly(true)
    node.settle().heartbeat('b', { term: 2 })
    node.settle().handle.setReadonly(false)
    expect(askToSleep(node.settle(), 'b', 2, 0)).toBeNull()
    node.heartbeat('b', { term: 2 })
    expect(askToSleep(node.settle(), 'b', 2, 0)).not.toBeNull()
  })

  it('seeks no election while the process of its leader is heard, and none of its timers runs', () => {
    const { node, sleep } = sleeping()
    for (let i = 0; i < 60; i++) {
      vouch(node)
      node.advance(100)
    }
    expect([node.state, node.rpc.calls('pre_vote').length, sleep.sleepsOn()]).toEqual([
      'follower.asleep',
      0,
      true,
    ])
    expect(node.clock.pendingTimers).toBe(0)
  })

  it('waits as long for its leader as if it had been awake, once that process is silent', () => {
    const { node, sleep } = sleeping()
    for (let i = 0; i < 60; i++) {
      vouch(node)
      node.advance(100)
    }
    sleep.roused()
    node.settle().advance(1800)
    expect([node.state, node.rpc.calls('pre_vote').length]).toEqual(['follower.waiting', 0])
    node.advance(300)
    expect(node.rpc.calls('pre_vote')).toHaveLength(2)
  })

  it('owes nothing to a leader that was vouched for before it stepped down', () => {
    const { node } = sleeping()
    node.advance(500)
    vouch(node)
    const { following } = node.handle.core
    expect(following.lease).toEqual({ lastLeader: 'b', lastContactMs: node.clock.nowMs() })
    following.release()
    expect(following.lease).toEqual({ lastLeader: 'b', lastContactMs: null })
    node.advance(100)
    vouch(node)
    expect(following.lease.lastContactMs).toBe(node.clock.nowMs())
  })

  it('is vouched for no more once it is awake', () => {
    const { node, sleep } = sleeping()
    node.advance(100)
    vouch(node)
    const heardMs = node.clock.nowMs()
    sleep.roused()
    node.settle().advance(400)
    vouch(node)
    expect(node.handle.core.following.lease).toEqual({ lastLeader: 'b', lastContactMs: heardMs })
  })

  it('stands in its turn when the bus says that its leader is gone', () => {
    const { node } = sleeping()
    for (let i = 0; i < 60; i++) {
      vouch(node)
      node.advance(100)
    }
    node.rpc.loses('b')
    node.settle().advance(25)
    expect(node.rpc.calls('pre_vote')).toHaveLength(2)
  })

  it.each<[string, (node: NodeRig) => unknown]>([
    ['another leader is heard', (node) => node.heartbeat('c', { term: 3 })],
    ['a candidate of a later term asks', (node) => node.requestVote('c', { term: 9 })],
    ['it is told to campaign', (node) => node.timeoutNow('b', 2)],
    ['an operator asks it to stand', (node) => node.vote()],
    ['it takes no commands any more, which its leader has to hear', (node) => node.handle.setReadonly(true)],
    ['it ends', (node) => node.shutdown()],
  ])('sleeps no longer when %s', (_, happens) => {
    const { node, sleep } = sleeping()
    happens(node)
    node.settle()
    expect(sleep.sleepsOn()).toBe(false)
    sleep.roused()
    node.settle()
    expect(node.state).not.toBe('follower.asleep')
  })

  it('goes on as ever after an operator asked it to stand in vain', () => {
    const { node } = sleeping()
    for (let i = 0; i < 60; i++) {
      vouch(node)
      node.advance(100)
    }
    node.vote()
    node.settle().advance(3000)
    expect(node.rpc.calls('pre_vote').length).toBeGreaterThan(2)
  })

  it('hears its leader and sleeps on, whether it is sent heartbeats or entries', () => {
    const { node, sleep } = sleeping()
    node.heartbeat('b', { term: 2 })
    node.append('b', { term: 2, entries: [entry()] })
    expect([node.settle() && sleep.sleepsOn(), node.state]).toEqual([true, 'follower.asleep'])
  })

  it.each<[string, () => NodeRig, string, number, number]>([
    ['somebody asks whom it does not follow', follower, 'c', 2, 0],
    ['it is asked about another term', follower, 'b', 3, 0],
    ['it lacks an entry', follower, 'b', 2, 1],
    ['its vote is promised', () => follower({ tuning: LEASES }), 'b', 2, 0],
    ['it stands for election', () => rig().boot().seekElection(), 'b', 1, 0],
  ])('does not fall asleep when %s', (_, make, leader, term, lastIndex) => {
    expect(askToSleep(make(), leader, term, lastIndex)).toBeNull()
  })
})

function entry() {
  return { index: 1, term: 2, type: 2 as const, data: new Uint8Array([1]) }
}
