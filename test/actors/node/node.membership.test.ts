// A leader that changes the members, step by step: who is sent what, what is counted when, who is told what.

import { describe, expect, it } from 'vitest'
import { configurationEntry, dataEntry } from '../../log/support/entries.ts'
import { pulse, spoken, written } from '../support/changing.ts'
import { says } from '../support/fake-rpc.ts'
import { rig } from '../support/node-rig.ts'

const ABC = ['a', 'b', 'c']
const LEFT = { ok: true, configuration: { oldPeers: [] } }

const leader = () => rig().boot().establish()

describe('from one set to any other', () => {
  it('catches up, then both sets decide, then the new one alone', () => {
    const node = leader()
    const asked = node.changeTo('a', 'd', 'e')
    expect(node.status).toMatchObject({
      change: { stage: 'catchingUp', adding: [{ peer: 'd' }, { peer: 'e' }] },
    })
    expect(written(node)).toEqual([])
    node.acknowledge('d')
    expect(written(node)).toEqual([])
    node.rpc.last('append_entries', 'e').answer({ term: 2, success: true, lastLogIndex: 1 })
    node.settle()
    // In force at once, on everybody who has it.
    expect(node.status).toMatchObject({ peers: ['a', 'd', 'e'], oldPeers: ABC, change: { stage: 'joint' } })
    node.acknowledge('d', 'e')
    expect(node.status.commitIndex).toBe(1)
    node.acknowledge('b')
    expect(node.status).toMatchObject({ commitIndex: 2, change: { stage: 'stable' } })
    node.acknowledge('d')
    expect(node.status).toMatchObject({ commitIndex: 3, peers: ['a', 'd', 'e'], oldPeers: [], change: null })
    expect(written(node)).toEqual(['abc>ade', '>ade'])
    expect(asked.outcome).toMatchObject({ ok: true, configuration: { peers: ['a', 'd', 'e'] } })
  })

  it('asks the new half too', () => {
    const node = leader()
    node.changeTo('a', 'd', 'e')
    node.acknowledge('d', 'e')
    expect(node.status.commitIndex).toBe(1)
    const joint = leader()
    joint.changeTo('b', 'c')
    joint.acknowledge('b')
    // Without itself: both of the others have to have it.
    expect(joint.status).toMatchObject({ commitIndex: 1, change: { stage: 'stable' } })
    joint.acknowledge('c')
    expect(joint.status).toMatchObject({ commitIndex: 2, role: 'follower' })
  })

  it('needs no joint configuration for one voter more or less', () => {
    const node = leader()
    const adding = node.changeTo('a', 'b', 'c', 'd')
    node.acknowledge('b', 'c', 'd')
    expect(adding.outcome).toMatchObject({ ok: true })
    node.changeTo('a', 'b', 'd')
    node.acknowledge('b', 'd')
    expect(written(node)).toEqual(['>abcd', '>abd'])
    expect(node.status).toMatchObject({ change: null })
  })

  it('waits for whoever comes as long as it answers, and gives up when it does not (trap T76)', () => {
    const node = leader()
    const asked = node.changeTo('a', 'b', 'c', 'd')
    for (let i = 0; i < 40; i++) {
      node.advance(100)
      pulse(node, 'b', 'c', 'd')
      for (const call of node.rpc.calls('append_entries'))
        if (call.isOpen && call.to === 'd') call.fail('TIMEOUT')
    }
    expect(asked.outcome).toBeNull()
    for (let i = 0; i < 20; i++) {
      node.advance(100)
      pulse(node, 'b', 'c')
    }
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'CATCH_UP', outcome: 'not-applied' } })
    expect(written(node)).toEqual([])
    expect(spoken(node, 'd', 500)).toBe(0)
    expect(node.status).toMatchObject({ role: 'leader', change: null, peers: ABC })
  })

  it('lets go of a change that was given up: what comes late begins nothing', () => {
    const node = leader()
    node.changeTo('a', 'b', 'c', 'd')
    const late = node.rpc.last('append_entries', 'd')
    for (let i = 0; i < 11; i++) {
      node.advance(100)
      pulse(node, 'b', 'c')
    }
    late.answer({ term: 2, success: true, lastLogIndex: 1 })
    node.settle()
    expect(written(node)).toEqual([])
    expect(node.status).toMatchObject({ change: null, peers: ABC })
  })

  it('refuses a set that can never have a majority with the log', () => {
    const node = leader()
    node.changeTo('a', 'b', 'c', 'd', 'e')
    node.acknowledge('b', 'c', 'd', 'e')
    for (let i = 0; i < 1200; i++) node.propose({ put: i })
    node.settle().acknowledge('b', 'c')
    const asked = node.changeTo('a', 'd', 'e')
    for (let i = 0; i < 20; i++) {
      node.advance(100)
      pulse(node, 'b', 'c')
    }
    expect(asked.outcome).toMatchObject({
      ok: false,
      error: { code: 'CATCH_UP', message: expect.stringMatching(/d, e/) },
    })
  })
})

describe('a change is refused', () => {
  it('before the first entry of the term is applied (trap T72)', () => {
    const node = rig().boot().lead()
    expect(node.changeTo('a', 'b').outcome).toMatchObject({
      ok: false,
      error: { code: 'BUSY', retryable: true },
    })
    node.acknowledge()
    expect(node.changeTo('a', 'b').outcome).toBeNull()
  })

  it('while another one runs, in whatever stage', () => {
    const node = leader()
    const busy = { ok: false, error: { code: 'BUSY' } }
    node.changeTo('a', 'd', 'e')
    expect(node.changeTo('a', 'b').outcome).toMatchObject(busy)
    node.acknowledge('d', 'e')
    expect(node.status.change).toMatchObject({ stage: 'joint' })
    expect(node.changeTo('a', 'b', 'c').outcome).toMatchObject(busy)
    node.rpc.last('append_entries', 'b').answer({ term: 2, success: true, lastLogIndex: 2 })
    node.settle()
    expect(node.status.change).toMatchObject({ stage: 'stable' })
    expect(node.changeTo('a', 'b').outcome).toMatchObject(busy)
    node.acknowledge('d', 'e')
    expect(node.changeTo('a', 'd', 'e').outcome).toMatchObject({ ok: true })
  })
})

describe('a leader that leaves its office', () => {
  it('while it catches up has changed nothing', () => {
    const node = leader()
    const asked = node.changeTo('a', 'b', 'c', 'd')
    node.heartbeat('b', { term: 9 })
    node.settle()
    expect(asked.outcome).toMatchObject({
      ok: false,
      error: { code: 'LEADERSHIP_LOST', outcome: 'not-applied' },
    })
  })

  it('after that does not know what becomes of it (trap T75), and the next leader’s log decides', () => {
    const node = leader()
    const asked = node.changeTo('b', 'c')
    node.append('b', {
      term: 9,
      ...{ prevLogIndex: 1, prevLogTerm: 2 },
      entries: [dataEntry(2, 9)],
    })
    node.settle()
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'LEADERSHIP_LOST', outcome: 'unknown' } })
    // The entry is gone, and with it what it said (INV-13 a); also over a restart.
    expect(node.status).toMatchObject({ peers: ABC, membership: 'voter' })
    node.shutdown().settle()
    expect(rig({ after: node }).boot().status).toMatchObject({ peers: ABC })
  })

  it('because it is not among the members any more tells the best one to campaign', () => {
    const node = leader()
    const asked = node.changeTo('b', 'c')
    node.acknowledge('b', 'c')
    expect(asked.outcome).toMatchObject(LEFT)
    expect(node.heard.at(-2)).toBe('role leader→follower 2 REMOVED')
    expect(node.rpc.calls('timeout_now')).toHaveLength(1)
    expect(node.status).toMatchObject({ role: 'follower', membership: 'removed' })
    node.advance(60_000)
    expect(node.rpc.calls('pre_vote').filter(({ isOpen }) => isOpen).length).toBeLessThanOrEqual(2)
    expect(node.status).toMatchObject({ role: 'follower', term: 2 })
  })

  it('hears of an earlier leadership’s end no more', () => {
    const node = leader()
    node.handle.actor.send({ type: 'change.left', term: 1 })
    expect(node.status.role).toBe('leader')
  })
})

describe('a leader that finds a joint configuration', () => {
  const inherited = (peers: string[], oldPeers: string[], others: string[]) => {
    const node = rig({
      peers: ['a', ...others],
      disk: { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, peers, oldPeers)] },
    })
    return node.boot().lead()
  }

  it('proposes it again, and then the new set (INV-13 f)', () => {
    const node = inherited(['a', 'b', 'd'], ABC, ['b', 'c', 'd'])
    expect(node.status).toMatchObject({ oldPeers: ABC, change: { stage: 'joint', adding: [] } })
    expect(node.changeTo('a').outcome).toMatchObject({ ok: false, error: { code: 'BUSY' } })
    node.acknowledge('b')
    expect(node.status).toMatchObject({ peers: ['a', 'b', 'd'], oldPeers: [], change: null })
    expect(written(node)).toEqual(['abc>abd', '>abd'])
  })

  it('and is not in the new set itself, leaves when that has decided', () => {
    const node = inherited(['b', 'c'], ABC, ['b', 'c'])
    node.acknowledge('b')
    expect(node.status).toMatchObject({ role: 'leader', change: { stage: 'joint' } })
    node.acknowledge('b', 'c')
    expect(written(node)).toEqual(['abc>bc', '>bc'])
    expect(node.status).toMatchObject({ role: 'follower', membership: 'removed' })
  })
})

describe('a learner', () => {
  const withLearner = () => {
    const node = leader()
    node.change({ kind: 'add', member: { id: 'l', role: 'learner' } })
    node.acknowledge('b', 'c')
    return node
  }

  it('comes by one entry, without waiting for it, and is sent everything', () => {
    const node = withLearner()
    expect(node.status).toMatchObject({ learners: ['l'], peers: ABC, change: null, commitIndex: 2 })
    expect(node.rpc.last('append_entries', 'l').request).toMatchObject({ term: 2 })
  })

  it('counts neither for entries, nor for contact, nor for reads', () => {
    const node = withLearner()
    node.propose({ put: 1 })
    node.settle().acknowledge('l')
    expect(node.status.commitIndex).toBe(2)
    node.acknowledge('b')
    expect(node.status.commitIndex).toBe(3)
    node.rpc.forget()
    const read = node.query('q')
    node.settle()
    expect(node.rpc.log.filter((line) => line === 'heartbeat>l')).toEqual([])
    pulse(node, 'b')
    expect(read.outcome).toMatchObject({ ok: true })
    for (let i = 0; i < 25; i++) {
      node.advance(100)
      pulse(node, 'l')
    }
    expect(node.status.role).toBe('follower')
    node.rpc.forget()
    node.advance(10_000)
    expect(new Set(node.rpc.calls('pre_vote').map(({ to }) => to))).toEqual(new Set(['b', 'c']))
  })

  it('is promoted once it has caught up, and knows which files it stands on', () => {
    const node = withLearner()
    const asked = node.change({ kind: 'promote', peer: 'l' })
    node.rpc.last('append_entries', 'l').answer({ term: 2, success: true, lastLogIndex: 2, identity: 77 })
    node.settle().acknowledge('b', 'c', 'l')
    expect(asked.outcome).toMatchObject({
      ok: true,
      configuration: { peers: [...ABC, 'l'], identities: { l: 77 } },
    })
  })

  it('itself never campaigns', () => {
    const node = rig({ id: 'l', peers: [] }).boot()
    const entry = { ...configurationEntry(1, 2, ABC) }
    node.append('b', { term: 2, entries: [entry], committedIndex: 1 })
    node.settle().advance(60_000)
    expect(node.status).toMatchObject({ role: 'follower', term: 2, membership: 'waiting' })
    expect(node.rpc.calls('pre_vote')).toEqual([])
  })
})

it('a round of reads asks both halves, and nobody who is only being caught up', () => {
  const node = leader()
  node.changeTo('a', 'd', 'e')
  node.rpc.forget()
  node.query('q')
  node.settle()
  expect(node.rpc.log).toEqual(['heartbeat>b', 'heartbeat>c'])
})

it('a candidate of a joint configuration needs both halves', () => {
  const node = rig({
    peers: ['a', 'b', 'c', 'd', 'e'],
    disk: {
      hardState: { term: 2, votedFor: null },
      entries: [configurationEntry(1, 2, ['a', 'd', 'e'], ABC)],
    },
  })
  node.boot().stand()
  node.rpc.last('request_vote', 'd').answer(says.yes(3))
  node.settle()
  expect(node.status.role).toBe('candidate')
  node.rpc.last('request_vote', 'b').answer(says.yes(3))
  node.settle()
  expect(node.status.role).toBe('leader')
})
