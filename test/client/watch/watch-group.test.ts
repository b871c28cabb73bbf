// Watching a whole group over the bus, on good days and on bad ones.

import { afterEach, describe, expect, test } from 'vitest'
import { attachServices, type GroupWatch, type WatchChange, watchGroup } from '../../../src/client.ts'
import { feedOf } from '../../../src/services/member-port.ts'
import type { MemoryConnection } from '../../../src/transport/memory/memory-connection.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { GROUP, type Member, until, World } from '../../host/support/world.ts'
import { Pausable } from '../pausable.ts'

const LONG = { timeout: 30_000 }
const SUBJECT = `quorate.${GROUP}.events.n1.inspect`
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A group whose members can be asked over the bus. */
class WatchedWorld extends World {
  async serve(id: string): Promise<Member> {
    const member = await this.member(id)
    const { detach } = attachServices({ transport: member.connection, node: member.node })
    closers.push(detach)
    return member
  }

  async serveAll(): Promise<{ leader: Member; followers: Member[] }> {
    await Promise.all(this.ids.map((id) => this.serve(id)))
    return this.leader()
  }
}

function newWorld(...ids: string[]): WatchedWorld {
  const world = new WatchedWorld(...ids)
  closers.push(() => world[Symbol.asyncDispose]())
  return world
}

function watching(transport: Transport, group = GROUP): GroupWatch & { readonly changes: WatchChange[] } {
  const watch = watchGroup({ transport, group })
  closers.push(() => watch.close())
  const changes: WatchChange[] = []
  watch.model.on((change) => changes.push(change))
  return { ...watch, changes }
}

const stateOf = (watch: GroupWatch, id: string) => watch.model.members.get(id)?.state
const pathOf = (watch: GroupWatch, id: string) => watch.model.members.get(id)?.actors.get(id)?.state
const allLive = (watch: GroupWatch, ...ids: string[]) =>
  until(() => ids.every((id) => stateOf(watch, id) === 'live'), `${ids.join(', ')} to be seen`)

/** What the members say of themselves now, beside what the viewer believes. */
async function isTrue(watch: GroupWatch, members: readonly Member[]): Promise<void> {
  await until(
    () => members.every(({ id, node }) => pathOf(watch, id) === node.status().state),
    'the viewer to see what is so',
  )
}

describe('a viewer', () => {
  test('sees all members in one model, however late it comes', LONG, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader, followers } = await world.serveAll()
    const watch = watching(world.bus.connect('viewer'))
    await watch.ready()
    await allLive(watch, 'n1', 'n2', 'n3')
    await isTrue(watch, [leader, ...followers])
    expect([watch.model.leader, watch.model.problem]).toEqual([leader.id, null])
    expect(watch.model.charts.size).toBe(9)
    const ids = [...watch.model.members.values()].flatMap(({ actors }) => [...actors.keys()])
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain(`${leader.id}/replicator:${followers[0]?.id}`)
    const late = watching(world.bus.connect('late'))
    await allLive(late, 'n1', 'n2', 'n3')
    for (const [id, member] of watch.model.members) {
      const [told, known] = [late.model.members.get(id), member].map((each) =>
        [...(each?.actors.keys() ?? [])].sort(),
      )
      expect(told).toEqual(known)
    }
  })

  test('sees a leader die, another one elected by whom, and the first one come back', LONG, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader } = await world.serveAll()
    const watch = watching(world.bus.connect('viewer'))
    await allLive(watch, 'n1', 'n2', 'n3')
    await world.kill(leader)
    const { leader: next, followers } = await world.leader()
    await until(() => watch.model.leader === next.id, 'the new leader to be seen')
    await until(() => stateOf(watch, leader.id) === 'silent', 'the dead one to be missed')
    expect(watch.model.members.get(leader.id)?.problem).toMatch(/^Nobody answers as member n\d: .*\.$/)
    const { entries } = watch.model.timeline
    const roles = entries.flatMap((entry) =>
      entry.kind === 'role' && entry.member === next.id ? [entry] : [],
    )
    expect(roles.slice(-2).map(({ to, reason }) => `${to} ${reason}`)).toEqual([
      'candidate PRE_VOTE_WON',
      'leader ELECTION_WON',
    ])
    const { term } = next.node.status()
    const votes = entries.flatMap((entry) =>
      entry.kind === 'vote' && !entry.pre && entry.term === term ? [entry] : [],
    )
    expect(votes).toContainEqual(
      expect.objectContaining({
        candidate: next.id,
        voter: followers[0]?.id,
        granted: true,
        reason: 'GRANTED',
      }),
    )
    const back = await world.serve(leader.id)
    await allLive(watch, 'n1', 'n2', 'n3')
    await isTrue(watch, [back, next, ...followers])
    expect(watch.model.members.get(leader.id)?.restarts).toBe(1)
    expect(watch.model.timeline.entries).toContainEqual(
      expect.objectContaining({ kind: 'member', member: leader.id, state: 'restarted' }),
    )
  })

  test('sees a member that stops in order, and that it has stopped', LONG, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { followers } = await world.serveAll()
    const watch = watching(world.bus.connect('viewer'))
    await allLive(watch, 'n1', 'n2', 'n3')
    const [follower] = followers
    if (follower === undefined) throw new Error('nobody follows')
    await world.close(follower)
    await until(() => stateOf(watch, follower.id) === 'ended', 'its end to be seen')
    expect(watch.model.members.get(follower.id)?.problem).toMatch(/ stopped\.$/)
  })

  test('takes leave when it is closed', LONG, async () => {
    const world = newWorld('n1')
    const { leader } = await world.serveAll()
    const watch = watching(world.bus.connect('viewer'))
    await watch.ready()
    expect(feedOf(leader.node)?.isWatched).toBe(true)
    const closedMs = performance.now()
    watch.close()
    watch.close()
    await until(() => feedOf(leader.node)?.isWatched === false, 'the leave')
    // Not only because its lease has ended.
    expect(performance.now() - closedMs).toBeLessThan(3000)
  })
})

describe('a group that is not there', () => {
  test('is told of in one sentence, and found as soon as it is', LONG, async () => {
    const world = newWorld('n1')
    const watch = watching(world.bus.connect('viewer'))
    await expect(watch.ready()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: `No member of group ${GROUP} answers on this bus: is the group called so, does it run, and may this user ask it?`,
    })
    expect(watch.model.problem).toContain(`No member of group ${GROUP}`)
    const { leader } = await world.serveAll()
    await until(() => watch.model.leader === leader.id, 'the group to be found')
    expect(watch.model.problem).toBeNull()
    await watch.ready()
  })

  test.each(['', 'a.b', '*'])('%j is no name', (group) => {
    expect(() => watchGroup({ transport: newWorld().bus.connect('viewer'), group })).toThrow(/Group/)
  })

  test.each([0, 1999, 60_001, 2500.5])('a lease of %d ms is none', (leaseMs) => {
    const transport = newWorld().bus.connect('viewer')
    expect(() => watchGroup({ transport, group: GROUP, leaseMs })).toThrow(/leaseMs/)
  })
})

/** A bus connection that loses what the test says. */
function lossy(inner: MemoryConnection, loses: (subject: string) => boolean): Transport {
  return {
    inbox: inner.inbox,
    status: () => inner.status(),
    onStatus: (handler) => inner.onStatus(handler),
    publish: (subject, payload, replyTo) => inner.publish(subject, payload, replyTo),
    subscribe: (subject, handler, options) =>
      inner.subscribe(subject, (message) => loses(message.subject) || handler(message), options),
    close: () => inner.close(),
  }
}

describe('on a bad day', () => {
  test('garbage on the feed is counted and changes nothing', LONG, async () => {
    const world = newWorld('n1')
    const { leader } = await world.serveAll()
    const watch = watching(world.bus.connect('viewer'))
    await watch.ready()
    const stranger = world.bus.connect('stranger')
    const head = { v: 1, group: GROUP, node: 'n1', boot: 'x', seq: 1, atMs: 0, dropped: 0, items: [] }
    const gone = {
      ...head,
      boot: watch.model.members.get('n1')?.boot,
      items: [{ kind: 'gone', id: 'n1', atMs: 0 }],
    }
    const garbage: unknown[] = [
      ...['', 'x', '{}', '[]', 'null', '\u0000', '{"v":1', `"${'x'.repeat(300_000)}"`],
      JSON.stringify({ ...head, v: 2 }),
      JSON.stringify({ ...head, seq: -1 }),
      JSON.stringify({ ...head, items: [{ kind: 'unknown' }] }),
      JSON.stringify({ ...head, items: [{ kind: 'gone', id: 'n1', atMs: 'now' }] }),
      JSON.stringify({ ...gone, seq: 99_999, node: 'n2' }),
      JSON.stringify({ ...gone, seq: 99_999, group: 'another' }),
    ]
    for (const text of garbage) stranger.publish(SUBJECT, Buffer.from(String(text)))
    stranger.publish(
      `quorate.${GROUP}.events.n9.inspect`,
      Buffer.from(JSON.stringify({ ...head, node: 'n9' })),
    )
    // A member speaks on its own subject only: elsewhere somebody else speaks in its name.
    stranger.publish(
      `quorate.${GROUP}.events.n9.inspect`,
      Buffer.from(JSON.stringify({ ...gone, seq: 99_999 })),
    )
    await until(() => watch.model.garbage === garbage.length + 2, 'the garbage to be counted')
    expect([...watch.model.members.keys()]).toEqual(['n1'])
    expect(pathOf(watch, 'n1')).toBe(leader.node.status().state)
  })

  test('batches that are lost are noticed, and made up for', LONG, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader } = await world.serveAll()
    let losing = false
    const viewer = lossy(world.bus.connect('viewer'), (subject) => losing && subject.includes('.events.'))
    const watch = watching(viewer)
    await allLive(watch, 'n1', 'n2', 'n3')
    losing = true
    await world.kill(leader)
    const { leader: next, followers } = await world.leader()
    // Long enough for a batch of each.
    await until(() => watch.model.members.get(leader.id)?.state === 'silent', 'the dead one to be missed')
    losing = false
    await isTrue(watch, [next, ...followers])
    const missed = [next, ...followers].map(({ id }) => watch.model.members.get(id)?.missed ?? 0)
    expect(Math.max(...missed)).toBeGreaterThan(0)
    expect(watch.model.timeline.entries).toContainEqual(expect.objectContaining({ kind: 'gap' }))
  })

  test('though no batch comes any more, what is so is seen', LONG, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader } = await world.serveAll()
    const watch = watching(lossy(world.bus.connect('viewer'), (subject) => subject.includes('.events.')))
    await allLive(watch, 'n1', 'n2', 'n3')
    await world.kill(leader)
    const { leader: next, followers } = await world.leader()
    await isTrue(watch, [next, ...followers])
  })

  test('the bus is gone for the viewer, and back', LONG, async () => {
    const world = newWorld('n1', 'n2', 'n3')
    const { leader } = await world.serveAll()
    const viewer = world.bus.connect('viewer')
    const watch = watching(viewer)
    await allLive(watch, 'n1', 'n2', 'n3')
    viewer.disconnect()
    expect(watch.model.problem).toMatch(/^The bus is gone: /)
    await world.kill(leader)
    const { leader: next, followers } = await world.leader()
    await until(() => stateOf(watch, next.id) === 'silent', 'that nobody is heard')
    viewer.reconnect()
    await isTrue(watch, [next, ...followers])
    expect([watch.model.problem, stateOf(watch, next.id)]).toEqual([null, 'live'])
  })

  test(
    'a viewer that stops reading holds nobody up, and sees what is so when it reads again',
    LONG,
    async () => {
      const world = newWorld('n1', 'n2', 'n3')
      const { leader } = await world.serveAll()
      const viewer = new Pausable(world.bus.connect('viewer'))
      const watch = watching(viewer.transport)
      await allLive(watch, 'n1', 'n2', 'n3')
      viewer.stop()
      for (let i = 0; i < 100; i++) await leader.node.apply(i)
      await world.kill(leader)
      const { leader: next, followers } = await world.leader()
      for (let i = 0; i < 100; i++) await next.node.apply(i)
      viewer.go()
      await isTrue(watch, [next, ...followers])
    },
  )

  test('a viewer that dies is forgotten when its lease ends', LONG, async () => {
    const world = newWorld('n1')
    const { leader } = await world.serveAll()
    const connection = world.bus.connect('viewer')
    const watch = watchGroup({ transport: connection, group: GROUP, leaseMs: 2000 })
    await watch.ready()
    await connection.close()
    await until(() => feedOf(leader.node)?.isWatched === false, 'the end of the lease')
    watch.close()
  })

  test('a hundred viewers share one feed', LONG, async () => {
    const world = newWorld('n1')
    const { leader } = await world.serveAll()
    const published: string[] = []
    world.bus
      .connect('tap')
      .subscribe(SUBJECT, ({ payload }) => published.push(Buffer.from(payload).toString()))
    const watches = Array.from({ length: 100 }, (_, i) => watching(world.bus.connect(`viewer-${i}`)))
    await Promise.all(watches.map((watch) => watch.ready()))
    const before = published.length
    const startedMs = performance.now()
    for (let i = 0; i < 50; i++) await leader.node.apply(i)
    await until(
      () => watches.every((watch) => (watch.model.members.get('n1')?.status?.commitIndex ?? 0) > 50),
      'all to see it',
    )
    const batches = published.length - before
    expect(batches).toBeLessThanOrEqual(Math.ceil((performance.now() - startedMs) / 90) + 1)
    await isTrue(watches[99] ?? watching(world.bus.connect('last')), [leader])
  })

  test('a listener that throws takes nothing from the others', LONG, async () => {
    const world = newWorld('n1')
    const { leader } = await world.serveAll()
    const watch = watchGroup({ transport: world.bus.connect('viewer'), group: GROUP })
    closers.push(() => watch.close())
    watch.model.on(() => {
      throw new Error('a listener')
    })
    let heard = 0
    const stop = watch.model.on(() => {
      heard += 1
    })
    await watch.ready()
    await isTrue(watch, [leader])
    stop()
    const before = heard
    expect(before).toBeGreaterThan(0)
    await leader.node.apply(1)
    await until(() => (watch.model.members.get('n1')?.status?.commitIndex ?? 0) > 1, 'the command to be seen')
    expect(heard).toBe(before)
  })
})
