// A follower whose leader is known to be gone: when it stands, for whom it votes, and whom it watches.

import { describe, expect, it } from 'vitest'
import { says } from '../support/fake-rpc.ts'
import { rig } from '../support/node-rig.ts'

const LEASES = { leaderLease: true } as const
/** The first in line waits a fifth of a heartbeat, which is a tenth of the election timeout. */
const TURN_MS = 20

describe('a follower', () => {
  it('stands in its turn when the bus says that its leader is gone', () => {
    const node = rig().boot().follow('b', 2)
    node.rpc.loses('b')
    node.settle().advance(TURN_MS - 1)
    expect(node.rpc.calls('pre_vote')).toEqual([])
    node.advance(2)
    expect(node.rpc.log).toEqual(['pre_vote>b', 'pre_vote>c'])
    expect(node.machine.calls.at(-1)).toBe('stopFollowing b 2 LEADER_ABSENT')
    node.rpc.last('pre_vote', 'c').answer(says.yes(2))
    node.settle()
    node.rpc.last('request_vote', 'c').answer(says.yes(3))
    expect(node.settle().status).toMatchObject({ role: 'leader', term: 3 })
  })

  it('does not stand when the leader is heard before its turn has come', () => {
    const node = rig().boot().follow('b', 2)
    node.rpc.loses('b')
    node.settle().advance(TURN_MS / 2)
    node.rpc.absent.clear()
    node.heartbeat('b', { term: 2 })
    node.advance(1000)
    expect(node.rpc.calls('pre_vote')).toEqual([])
    expect(node.state).toBe('follower.waiting')
  })

  it('waits for as long as it has promised while leases are on, and watches nobody', () => {
    const node = rig({ tuning: LEASES }).boot().follow('b', 2)
    expect([...node.rpc.watched.keys()]).toEqual([])
    node.rpc.loses('b')
    node.settle().advance(1500)
    expect(node.rpc.calls('pre_vote')).toEqual([])
  })

  it('asks again in its turn as long as it is not elected', () => {
    const node = rig().boot().follow('b', 2)
    node.rpc.loses('b')
    node.settle().advance(TURN_MS + 1)
    node.rpc.last('pre_vote', 'c').answer(says.notWhileMyLeaseHolds(2))
    node.advance(TURN_MS + 1)
    expect(node.rpc.calls('pre_vote')).toHaveLength(4)
  })

  it('grants a pre-vote at once when it knows of the same, and otherwise looks for itself', () => {
    const node = rig().boot().follow('b', 2)
    const first = node.preVote('c', { term: 3 })
    expect(node.settle() && first.response).toMatchObject({ granted: false })
    expect(node.rpc.askedEarly).toEqual(['b'])
    node.rpc.loses('b')
    const second = node.settle().preVote('c', { term: 3 })
    expect(node.settle() && second.response).toMatchObject({ granted: true })
  })

  it('may still vote for another when the one that it voted for is gone as well', () => {
    const node = rig().boot().follow('b', 2)
    node.rpc.loses('b')
    node.settle().requestVote('c', { term: 3, lastLogIndex: 9, lastLogTerm: 2 })
    node.settle().advance(2 * TURN_MS)
    expect(node.rpc.calls('pre_vote').length).toBeGreaterThan(0)
  })

  it('watches the leader that it follows, and nobody when it leads or has ended', () => {
    const watched = (): string[] => [...node.rpc.watched.keys()]
    const node = rig().boot().follow('b', 2)
    expect(watched()).toEqual(['b'])
    node.heartbeat('c', { term: 3 })
    expect(node.settle() && watched()).toEqual(['c'])
    node.timeoutNow('c', 3, true)
    node.settle().rpc.last('request_vote', 'b').answer(says.yes(4))
    expect(node.settle().status.role).toBe('leader')
    expect(watched()).toEqual([])
    node.heartbeat('b', { term: 5 })
    expect(node.settle() && watched()).toEqual(['b'])
    node.shutdown().settle()
    expect(watched()).toEqual([])
  })

  it('watches nobody when it has failed', () => {
    const node = rig().boot().follow('b', 2)
    node.handle.actor.send({ type: 'fatal', error: new Error('odd') })
    expect(node.settle().status.role).toBe('error')
    expect([...node.rpc.watched.keys()]).toEqual([])
  })
})

it('somebody who is led is not the judge of his own leader: a leader refuses as long as it is heard', () => {
  const node = rig().boot().stand()
  node.lead()
  const answer = node.preVote('c', { term: 3 })
  expect(node.settle() && answer.response).toMatchObject({ granted: false })
})
