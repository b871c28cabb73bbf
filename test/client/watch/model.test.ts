// The model of a group, fed by hand: what is taken once, what is missed, and the bounds.

import { describe, expect, test } from 'vitest'
import { AdminAsker } from '../../../src/client/admin-asker.ts'
import { GroupModel } from '../../../src/client/watch/group-model.ts'
import { LeaseKeeper } from '../../../src/client/watch/lease-keeper.ts'
import { MemberModel } from '../../../src/client/watch/member-model.ts'
import { TIMELINE_MS, Timeline } from '../../../src/client/watch/timeline.ts'
import type { FeedBatch, FeedItem, FeedPicture, FeedStatus } from '../../../src/protocol/feed-protocol.ts'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import { VirtualClock } from '../../actors/support/virtual-clock.ts'

const STATUS: FeedStatus = {
  ...{ role: 'follower', term: 1, leader: 'n2', votedFor: null, membership: 'voter' },
  ...{ peers: ['n1', 'n2'], oldPeers: [], learners: [], witnesses: [] },
  ...{ firstIndex: 1, lastIndex: 1, durableIndex: 1, commitIndex: 1, appliedIndex: 1 },
  ...{ pendingProposals: 0, pendingBytes: 0, undurableBytes: 0, leaseValid: false },
  ...{ leaderAliveUntilMs: null, electionTimeoutMs: 1000, timers: [], replicators: [], change: null },
  ...{
    snapshot: { index: 0, state: 'idle', doneBytes: 0, totalBytes: 0 },
    commitLatency: null,
    diskWrites: null,
    error: null,
  },
}

function picture(fields: Partial<FeedPicture> = {}): FeedPicture {
  const actors = [{ id: 'n1', parent: null, chart: 'node', state: 'active.follower.waiting' }]
  return {
    ...{ ok: true, v: 1, group: 'g', node: 'n1', boot: 'a', seq: 10, atMs: 0, leaseMs: 5000 },
    ...{ actors, charts: {}, more: [], status: STATUS, ...fields },
  }
}

function batch(seq: number, ...items: FeedItem[]): FeedBatch {
  return { v: 1, group: 'g', node: 'n1', boot: 'a', seq, atMs: 0, dropped: 0, items }
}

const proposed = (count: number): FeedItem => ({ kind: 'counts', id: 'n1', events: { propose: count } })

describe('a member', () => {
  test('takes each item once, whatever comes twice or late', () => {
    const member = new MemberModel('n1')
    member.show(picture())
    const counted = () => member.actors.get('n1')?.events.get('propose') ?? 0
    expect(member.hear(batch(8, proposed(1), proposed(1)))).toEqual({ kind: 'fresh', items: [], missing: 0 })
    expect(member.hear(batch(9, proposed(1), proposed(10))).kind).toBe('fresh')
    member.hear(batch(9, proposed(1), proposed(10)))
    expect([counted(), member.next, member.missed]).toEqual([10, 11, 0])
    expect(member.hear(batch(14, proposed(100)))).toMatchObject({ kind: 'gap', missing: 3 })
    expect([counted(), member.next, member.missed]).toEqual([110, 15, 3])
  })

  test('of another life begins anew', () => {
    const member = new MemberModel('n1')
    expect(member.show(picture())).toBe(false)
    member.hear(batch(10, proposed(5)))
    expect(member.hear({ ...batch(11, proposed(5)), boot: 'b' })).toEqual({ kind: 'stranger' })
    expect(member.show(picture({ boot: 'b', seq: 1 }))).toBe(true)
    expect([member.restarts, member.next, member.actors.get('n1')?.events.size]).toEqual([1, 1, 0])
  })

  test('knows its actors, and what led to their states', () => {
    const member = new MemberModel('n1')
    member.show(picture())
    const id = 'n1/log'
    member.hear(batch(10, { kind: 'actor', id, parent: 'n1', chart: 'log', state: 'opening', atMs: 1 }))
    const step = {
      kind: 'transition',
      id,
      event: 'opened',
      from: 'opening',
      to: 'ready',
      skipped: 0,
      atMs: 2,
    } as const
    member.hear(batch(11, step, { ...step, id: 'n1/nobody' }))
    expect(member.actors.get(id)).toMatchObject({
      state: 'ready',
      last: { event: 'opened', from: 'opening', atMs: 2 },
    })
    member.hear(batch(13, { kind: 'gone', id, atMs: 3 }))
    expect([...member.actors.keys()]).toEqual(['n1'])
  })

  test('counts what others ask it', () => {
    const member = new MemberModel('n1')
    member.show(picture())
    const heard = [{ from: 'n2', method: 'heartbeat', count: 2 }]
    member.hear(batch(10, { kind: 'messages', heard, atMs: 0 }, { kind: 'messages', heard, atMs: 0 }))
    expect(member.heard.get('n2')?.get('heartbeat')).toBe(4)
  })
})

describe('a group', () => {
  test('keeps a bounded number of members', () => {
    const model = new GroupModel('g', () => 0)
    for (let i = 0; i < 300; i++) model.show(picture({ node: `n${i}` }))
    expect(model.members.size).toBe(256)
  })

  test('tells who leads by the newest term, and nobody when that has no leader', () => {
    const model = new GroupModel('g', () => 0)
    const says = (node: string, term: number, leader: string | null): void => {
      model.show(picture({ node, status: { ...STATUS, term, leader } }))
      const member = model.members.get(node)
      if (member !== undefined) model.setState(member, 'live', null)
    }
    says('n1', 1, 'n2')
    expect(model.leader).toBe('n2')
    says('n3', 2, null)
    expect(model.leader).toBeNull()
    says('n1', 2, 'n3')
    expect(model.leader).toBe('n3')
    // Who has fallen silent says nothing about who leads any more.
    for (const member of model.members.values()) model.setState(member, 'silent', 'It is silent.')
    expect(model.leader).toBeNull()
  })
})

describe('a timeline', () => {
  const entry = (atMs: number) => ({ kind: 'gap', member: 'n1', items: 1, atMs }) as const

  test('keeps ten minutes', () => {
    const timeline = new Timeline()
    timeline.add(entry(0), 0)
    timeline.add(entry(1), 1)
    timeline.add(entry(TIMELINE_MS + 1), TIMELINE_MS + 1)
    expect(timeline.entries.map(({ atMs }) => atMs)).toEqual([1, TIMELINE_MS + 1])
  })

  test('is bounded, however much happens', () => {
    const timeline = new Timeline()
    for (let i = 0; i < 10_005; i++) timeline.add(entry(i), 0)
    expect(timeline.entries).toHaveLength(10_000)
    expect(timeline.entries.at(-1)?.atMs).toBe(10_004)
  })
})

test('a picture that is wanted does not wait for the next renewal, nor comes more often than that', () => {
  const clock = new VirtualClock()
  const bus = new MemoryBus({ clock })
  let asked = 0
  const member = bus.connect('n1')
  const answer = new TextEncoder().encode(JSON.stringify(picture()))
  member.subscribe('quorate.g.n1.admin.inspect', ({ replyTo = '' }) => {
    asked += 1
    member.publish(replyTo, answer)
  })
  const asker = new AdminAsker({ transport: bus.connect('viewer'), prefix: 'quorate', group: 'g', clock })
  const keeper = new LeaseKeeper({
    ...{ asker, clock, member: 'n1', viewer: 'v', leaseMs: 5000, renewMs: 1000, everything: false },
    ...{ missingCharts: () => null, answered: () => {}, failed: () => {} },
  })
  keeper.ask()
  clock.advance(1)
  expect(asked).toBe(1)
  return Promise.resolve()
    .then(() => Promise.resolve())
    .then(() => {
      for (let i = 0; i < 50; i++) keeper.ask()
      clock.advance(199)
      expect(asked).toBe(2)
      keeper.close()
    })
})
