// What a member tells those who watch it: nothing while nobody does, all there is to whoever comes, then what happens.

import { afterEach, describe, expect, test } from 'vitest'
import type { FeedBatch, FeedItem, FeedItemOf, FeedPicture } from '../../../src/protocol/feed-protocol.ts'
import { feedOf } from '../../../src/services/member-port.ts'
import { type Member, until, World } from '../../host/support/world.ts'

const ROOM = 1024 * 1024
const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]()
})

function newWorld(...ids: string[]): World {
  const world = new World(...ids)
  worlds.push(world)
  return world
}

function feed(member: Member) {
  const found = feedOf(member.node)
  if (found === null) throw new Error('a member of ours can be watched')
  return found
}

/** Watches one member in its own process. */
function watcher(member: Member, everything = false) {
  const batches: FeedBatch[] = []
  const outlet = feed(member).outlet((batch, json) => {
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(batch)))
    return batches.push(batch) > 0
  })
  const watch = (leaseMs = 10_000, viewer = 'me'): FeedPicture =>
    outlet.watch({ viewer, leaseMs, everything }, undefined, ROOM)
  const items = (): FeedItem[] => batches.flatMap((batch) => batch.items)
  const of = <K extends FeedItem['kind']>(kind: K): FeedItemOf<K>[] =>
    items().filter((item): item is FeedItemOf<K> => item.kind === kind)
  return { outlet, batches, watch, items, of, picture: watch() }
}

describe('a member that nobody watches', () => {
  test('is not listened to, before the first lease and after the last', async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { system } = leader.node.actor
    let observers = 0
    const inspect = system.inspect.bind(system)
    system.inspect = (observer) => {
      observers += 1
      const { unsubscribe } = inspect(observer)
      return {
        unsubscribe: () => {
          observers -= 1
          unsubscribe()
        },
      }
    }
    const { outlet, watch, batches } = watcher(leader)
    expect(observers).toBe(1)
    watch(10_000, 'another')
    expect(observers).toBe(1)
    watch(0)
    expect(feed(leader).isWatched).toBe(true)
    watch(0, 'another')
    expect([observers, feed(leader).isWatched]).toEqual([0, false])
    batches.length = 0
    await leader.node.apply('unseen')
    expect(batches).toEqual([])
    outlet.close()
  })

  test('is let go of when a lease is not renewed, and when its outlet is closed', async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { watch, outlet } = watcher(leader)
    watch(0)
    watch(150)
    await until(() => !feed(leader).isWatched, 'the end of the lease')
    watch()
    outlet.close()
    expect(feed(leader).isWatched).toBe(false)
  })

  test('says that something was not told to whoever was there before', async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { watch } = watcher(leader)
    const before = watch()
    watch(0)
    expect(watch().seq).toBeGreaterThan(before.seq + 1)
  })
})

describe('whoever comes', () => {
  test('is told of all actors, their states, all charts and the numbers', async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader, followers } = await world.elect()
    const [peer = ''] = followers.map(({ id }) => id)
    const { picture } = watcher(leader)
    const root = picture.actors.find(({ parent }) => parent === null)
    expect(root).toEqual({ id: leader.id, parent: null, chart: 'node', state: 'active.leader.serving' })
    const replicator = picture.actors.find(({ id }) => id === `${leader.id}/replicator:${peer}`)
    expect(replicator).toMatchObject({ parent: leader.id, chart: 'replicator' })
    expect(new Set(picture.actors.map(({ id }) => id)).size).toBe(picture.actors.length)
    expect(Object.keys(picture.charts)).toHaveLength(9)
    const states = new Set(picture.actors.flatMap(({ chart }) => (chart === null ? [] : [chart])))
    for (const chart of states) expect(picture.charts).toHaveProperty([chart])
    expect(picture.status).toMatchObject({
      role: 'leader',
      leader: leader.id,
      term: leader.node.status().term,
    })
    expect(picture.status.replicators.map((each) => each.peer).sort()).toEqual(
      followers.map(({ id }) => id).sort(),
    )
    expect(picture.status.timers.map(({ name }) => name)).toEqual(['stepDown'])
  })

  test('gets whole charts, deep ones too, and those that have no room by name', async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { outlet, picture } = watcher(leader)
    const node = JSON.parse(picture.charts.node ?? '')
    expect(node.states.active.states.leader.states.transferring.states.told.entry).toBe('sendTimeoutNow')
    expect(JSON.stringify(picture.charts)).not.toMatch(/\[(Array|Object|Circular)\]/)
    const small = JSON.stringify({ ...picture, charts: {} }).length + 2000
    const paged = outlet.watch({ viewer: 'me', leaseMs: 1000 }, undefined, small)
    expect(JSON.stringify(paged).length).toBeLessThanOrEqual(small)
    expect(paged.more).toContain('node')
    expect([...Object.keys(paged.charts), ...paged.more].sort()).toEqual(Object.keys(picture.charts).sort())
    const rest = outlet.watch({ viewer: 'me', leaseMs: 1000 }, paged.more, ROOM)
    expect(Object.keys(rest.charts).sort()).toEqual([...paged.more].sort())
  })
})

describe('an election', () => {
  test('is told by all: each role in order with its reason, and who voted what', {
    timeout: 20_000,
  }, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader, followers } = await world.elect()
    const watchers = followers.map((member) => ({ member, ...watcher(member) }))
    await world.kill(leader)
    const { leader: next } = await world.leader()
    const winner = watchers.find(({ member }) => member.id === next.id)
    const voter = watchers.find(({ member }) => member.id !== next.id)
    const { term } = next.node.status()
    await until(() => winner?.of('role').at(-1)?.to === 'leader', 'the new leader to tell')
    const roles = winner?.of('role').map(({ from, to, reason }) => [from, to, reason]) ?? []
    expect(roles.slice(-2)).toEqual([
      ['follower', 'candidate', 'PRE_VOTE_WON'],
      ['candidate', 'leader', 'ELECTION_WON'],
    ])
    await until(
      () => (voter?.of('vote') ?? []).some((vote) => vote.granted && !vote.pre),
      'the voter to tell',
    )
    const vote = { candidate: next.id, voter: voter?.member.id, term, granted: true }
    expect(voter?.of('vote')).toContainEqual(
      expect.objectContaining({ ...vote, pre: false, reason: 'GRANTED' }),
    )
    expect(winner?.of('vote')).toContainEqual(expect.objectContaining({ ...vote, pre: true, reason: null }))
    await until(() => (winner?.of('vote') ?? []).some(({ pre, granted }) => granted && !pre), 'the answer')
    expect(winner?.of('vote')).toContainEqual(expect.objectContaining({ ...vote, pre: false, reason: null }))
    const path = winner?.of('transition').filter(({ id }) => id === next.id)
    for (const [i, step] of (path ?? []).entries()) if (i > 0) expect(step.from).toBe(path?.[i - 1]?.to)
    expect(winner?.of('actor').map(({ id }) => id)).toContain(`${next.id}/replicator:${voter?.member.id}`)
    expect(winner?.of('gone').map(({ id }) => id)).toContain(`${next.id}/electionTimer`)
  })
})

describe('what happens all the time', () => {
  test('is counted, and not told one by one', { timeout: 20_000 }, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader, followers } = await world.elect()
    const [follower] = followers
    if (follower === undefined) throw new Error('nobody follows')
    const { items, of } = watcher(follower)
    const calls = Array.from({ length: 300 }, (_, i) => leader.node.apply(`secret ${i}`))
    await Promise.all(calls)
    for (let i = 0; i < 100; i++) await leader.node.apply('secret')
    const heard = (method: string): number =>
      of('messages')
        .flatMap((item) => item.heard)
        .filter((each) => each.method === method && each.from === leader.id)
        .reduce((sum, { count }) => sum + count, 0)
    await until(() => heard('append_entries') >= 100 && heard('heartbeat') > 0, 'the counts')
    const counted = of('counts').reduce((sum, { events }) => sum + (events['rpc.append_entries'] ?? 0), 0)
    expect(counted).toBe(heard('append_entries'))
    expect(of('event')).toEqual([])
    expect(items().length).toBeLessThan(counted)
    // Nobody but the state machine is told what commands say.
    expect(JSON.stringify(items())).not.toContain('secret')
  })

  test('is told one by one when everything is asked for', { timeout: 20_000 }, async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { of } = watcher(leader, true)
    await leader.node.apply('secret')
    await until(() => of('event').some(({ event }) => event === 'applied'), 'an event')
    expect(of('event').map(({ event }) => event)).toEqual(expect.arrayContaining(['propose', 'log.durable']))
    expect(JSON.stringify(of('event'))).not.toContain('secret')
  })

  test('leaves numbers at most five times a second, and the time that commits take', {
    timeout: 20_000,
  }, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader } = await world.elect()
    const { of } = watcher(leader)
    while (of('status').length < 4) await leader.node.apply('word')
    const times = of('status').map(({ atMs }) => atMs)
    for (const [i, atMs] of times.entries())
      if (i > 0) expect(atMs - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(199)
    const latency = of('status').at(-1)?.status.commitLatency
    expect(latency?.samples).toBeGreaterThan(0)
    expect(latency?.p50Ms).toBeLessThanOrEqual(latency?.p99Ms ?? 0)
  })
})

describe('numbers of items', () => {
  test('follow each other, and begin where the picture ends', async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { picture, batches } = watcher(leader)
    for (let i = 0; i < 5; i++) {
      const before = batches.length
      await leader.node.apply(i)
      await until(() => batches.length > before, 'a batch')
    }
    let next = picture.seq
    for (const { seq, items, boot } of batches) {
      expect([seq, boot]).toEqual([next, picture.boot])
      next += items.length
    }
  })

  test('go on over what could not be delivered, which is counted, and another viewer misses nothing', async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { of } = watcher(leader)
    let refused = 0
    const deaf = feed(leader).outlet((batch) => {
      refused += batch.items.length
      if (refused > 10) throw new Error('a viewer of the worst kind')
      return false
    })
    deaf.watch({ viewer: 'deaf', leaseMs: 10_000 }, undefined, ROOM)
    for (let i = 0; refused <= 10; i++) await leader.node.apply(i)
    const counted = (): number => of('counts').reduce((sum, { events }) => sum + (events.propose ?? 0), 0)
    await until(() => counted() > 3, 'what the other one is told')
    expect(leader.node.status().role).toBe('leader')
  })
})

describe('a member that ends', () => {
  test('tells of its end, and nothing when it is killed', { timeout: 20_000 }, async () => {
    const world = newWorld('n1')
    const { leader } = await world.elect()
    const { of } = watcher(leader)
    await world.close(leader)
    expect(of('role').map(({ to }) => to)).toEqual(['shuttingDown', 'shutdown'])
    expect(of('gone').map(({ id }) => id)).toContain('n1')
    expect(of('transition').at(-1)).toMatchObject({ id: 'n1', to: 'shutdown' })
    expect(feed(leader).isWatched).toBe(false)
    const again = await world.member('n1')
    await world.leader()
    const second = watcher(again)
    expect(second.picture.boot).not.toBe(watcher(leader).picture.boot)
    const heard = second.batches.length
    await world.kill(again)
    expect(second.batches.length).toBe(heard)
    expect(second.watch().leaseMs).toBe(0)
  })
})
