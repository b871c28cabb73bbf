// Instances of a replicated machine as those see them who watch the group: over the bus, in the process, in the Stately inspector.

import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect'
import { afterEach, describe, expect, test } from 'vitest'
import { createMachine, fromPromise } from 'xstate'
import { GroupModel } from '../../src/client/watch/group-model.ts'
import { attachServices, watchGroup } from '../../src/client.ts'
import { openInspector } from '../../src/inspect.ts'
import { instancesOf } from '../../src/observability/feed/instance-source.ts'
import type { FeedBatch, FeedItemOf } from '../../src/protocol/feed-protocol.ts'
import { feedOf } from '../../src/services/member-port.ts'
import { replicate } from '../../src/xstate.ts'
import { GROUP, until, World } from '../host/support/world.ts'
import { batchOf, pictureOf } from '../page/support/feed.ts'
import { orderMachine, SlowWorld } from './support/order.ts'
import { Mail, shopMachine } from './support/receipts.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const ordersOf = () => replicate(orderMachine(new SlowWorld()), { maxIterations: 100, compareEvery: 0 })

async function started(ids: readonly string[]) {
  const world = new World(...ids)
  closers.push(() => world[Symbol.asyncDispose]())
  const machines = new Map(ids.map((id) => [id, ordersOf()]))
  await Promise.all(
    [...machines].map(async ([id, stateMachine]) => {
      const { node, connection } = await world.member(id, { stateMachine })
      closers.push(attachServices({ node, transport: connection }).detach)
    }),
  )
  const { leader } = await world.leader()
  const machine = machines.get(leader.id) ?? ordersOf()
  return { world, leader, machine, orders: machine.actors(leader.node) }
}

/** All that one member tells while it is watched. */
async function told() {
  const { leader, orders, machine } = await started(['a'])
  const batches: FeedBatch[] = []
  const feed = feedOf(leader.node)
  const outlet = feed?.outlet((batch) => batches.push(batch) > 0)
  const watch = (leaseMs = 10_000, find?: string) => {
    const picture = outlet?.watch({ viewer: 'me', leaseMs, find }, undefined, 1024 * 1024)
    if (picture === undefined) throw new Error('a member of ours can be watched')
    return picture
  }
  const items = (): FeedItemOf<'instances'>[] =>
    batches.flatMap(({ items: all }) => all.filter((item) => item.kind === 'instances'))
  return { machine, orders, watch, items, batches }
}

describe('a viewer on the bus', () => {
  test('sees where instances stand, what moved them and what they wait for, and nothing of what is in them', async () => {
    const { world, leader, orders } = await started(['a', 'b', 'c'])
    await orders.actor('before').send({ type: 'add', amount: 123456789 })
    const watch = watchGroup({ transport: world.bus.connect('viewer'), group: GROUP })
    closers.push(watch.close)
    await watch.ready()
    const seen = (key: string) => watch.model.instances?.newest.find((each) => each.key === key)
    await until(() => seen('before') !== undefined, 'what was there before')
    expect(seen('before')).toMatchObject({ status: 'active', states: ['open'], last: null, timers: [] })
    await orders.actor('o1').send({ type: 'add', amount: 1234567 })
    await until(() => seen('o1')?.last?.event === 'add', 'an event that stays where it is')
    const { index } = await orders.actor('o1').send({ type: 'cancel' })
    // One of three has told of the step before: it alone may know where the last one began.
    await until(() => seen('o1')?.last?.from[0] === 'open', 'the event')
    expect(seen('o1')).toMatchObject({
      ...{ status: 'done', states: ['canceled'], jobs: [] },
      last: { event: 'cancel', index },
    })
    await orders.actor('o2').send({ type: 'add', amount: 1 })
    await orders.actor('o2').send({ type: 'pay' })
    await until(() => seen('o2')?.states[0] === 'paying', 'the job')
    expect(seen('o2')).toMatchObject({
      timers: [{ id: 'xstate.after.patience.order.paying' }],
      jobs: [{ id: 'payment', src: 'payment' }],
      more: 0,
    })
    const { model } = watch
    expect(model.instances).toMatchObject({ machine: 'order', version: '1', total: 3 })
    expect(model.instances?.newest[0]?.key).toBe('o2')
    const chart = model.charts.get(model.instances?.chart ?? '') ?? ''
    expect(JSON.parse(chart)).toMatchObject({ initial: 'open', states: { paid: { type: 'final' } } })
    const all = JSON.stringify([chart, [...model.members.values()].map(({ instances }) => instances?.told)])
    expect(all).not.toMatch(/1234567|thirteen|amount/)
    expect((await watch.find('o')).map(({ key }) => key)).toEqual(['o1', 'o2'])
    expect(await watch.find('before')).toMatchObject([{ key: 'before', states: ['open'] }])
    expect(await watch.find('nobody')).toEqual([])
    // Who follows tells the same.
    await until(() => {
      const books = [...model.members.values()].map(({ instances }) => instances?.get('o2')?.states[0])
      return books.every((state) => state === 'paying')
    }, 'all members')
    expect(leader.node.status().role).toBe('leader')
  })
})

describe('a member', () => {
  test('that nobody watches takes no note of what moves', async () => {
    const { orders, machine, watch, batches } = await told()
    let followers = 0
    const source = instancesOf(machine)
    const follow = source?.follow.bind(source)
    if (source === null || follow === undefined) throw new Error('a replicated machine has instances')
    source.follow = (moved) => {
      followers += 1
      const stop = follow(moved)
      return () => {
        followers -= 1
        stop()
      }
    }
    // It is watched already; whoever counts comes later.
    watch(0)
    followers = 0
    watch()
    watch(10_000)
    expect(followers).toBe(1)
    watch(0)
    await orders.actor('x').send({ type: 'add', amount: 1 })
    expect(watch().instances?.instances).toMatchObject([{ key: 'x', last: null }])
    watch(0)
    expect(followers).toBe(0)
    batches.length = 0
    await orders.actor('x').send({ type: 'add', amount: 1 })
    expect(watch().instances?.instances).toMatchObject([{ key: 'x', last: null }])
    expect(batches).toEqual([])
  })

  test('tells of a few of many, however many there are and move', async () => {
    const { orders, watch, items } = await told()
    const long = (at: number) => `${at}-${'é'.repeat(500)}`
    await Promise.all(
      Array.from({ length: 600 }, (_, at) => orders.actor(long(at)).send({ type: 'add', amount: 1 })),
    )
    const { instances, found } = watch(10_000, '1')
    expect(instances?.total).toBe(600)
    expect(Buffer.byteLength(JSON.stringify(instances))).toBeLessThan(25 * 1024)
    expect(found?.length).toBeLessThanOrEqual(20)
    const short = Array.from({ length: 400 }, (_, at) => orders.actor(`s${at}`))
    await Promise.all(short.map((order) => order.send({ type: 'add', amount: 1 })))
    await orders.actor('the last').send({ type: 'add', amount: 1 })
    const isTold = (): boolean => items().some((item) => item.instances.some(({ key }) => key === 'the last'))
    await until(isTold, 'the last')
    for (const item of items()) {
      expect(item.instances.length).toBeLessThanOrEqual(64)
      expect(Buffer.byteLength(JSON.stringify(item))).toBeLessThan(26 * 1024)
    }
    expect(items().at(-1)?.total).toBe(1001)
    expect(watch().instances?.instances.length).toBeLessThanOrEqual(64)
  })
})

test('a durable action that fails is among what waits, with how often and until when', async () => {
  const world = new World('a')
  closers.push(() => world[Symbol.asyncDispose]())
  const mail = new Mail()
  mail.answer = ({ name }) => name === 'ring' || Promise.reject(new Error('the mail is closed'))
  const shops = replicate(shopMachine(mail), { maxIterations: 10, durable: ['sendReceipt'] })
  const { node } = await world.member('a', { stateMachine: shops })
  await world.leader()
  const inspector = await openInspector({ nodes: [node], port: null })
  closers.push(() => inspector.close())
  await shops.actors(node).actor('s').send({ type: 'sell', to: 'somebody' })
  const seen = () => inspector.models.get(GROUP)?.instances?.newest[0]
  await until(() => seen()?.jobs[0]?.failures === 1, 'its failure')
  expect(seen()?.jobs).toMatchObject([{ src: 'sendReceipt', failures: 1, dueAtMs: expect.any(Number) }])
  expect(seen()?.last?.event).toMatch(/^xstate\.error\.actor\./)
  expect(JSON.stringify(seen())).not.toContain('somebody')
})

test('what a machine carries beside its names is in no chart', () => {
  const params = { to: 'secret' }
  const machine = createMachine({
    ...{ id: 'm', version: '1', context: { word: 'secret' }, meta: params, description: 'secret' },
    initial: 'a',
    entry: { type: 'mail', params },
    invoke: { id: 'job', src: 'job', input: params, onDone: '.b' },
    on: { GO: { guard: { type: 'may', params }, actions: ['mail', { type: 'mail', params }], target: '.b' } },
    states: { a: { after: { 10: { target: 'b', meta: params } } }, b: { type: 'final', output: params } },
  })
  const nothing = () => {}
  const given = machine.provide({
    actions: { mail: nothing },
    guards: { may: () => true },
    actors: { job: fromPromise(async () => 1) },
  })
  const chart = instancesOf(replicate(given, { maxIterations: 10 }))?.chart ?? ''
  expect(JSON.parse(chart)).toMatchObject({
    ...{ initial: 'a', invoke: [{ id: 'job', src: 'job', onDone: '.b' }] },
    on: { GO: { guard: { type: 'may' }, actions: [{ type: 'mail' }, { type: 'mail' }], target: '.b' } },
    states: { a: { after: { 10: { target: 'b' } } }, b: { type: 'final' } },
  })
  expect(chart).not.toContain('secret')
})

test('of what members say of an instance the latest counts', () => {
  const model = new GroupModel('g', () => 0)
  const said = (asOf: number, state: string, index: number, from: string[] = []) => {
    const last = { event: 'x', from, index, atMs: 0 }
    const one = {
      key: 'k',
      status: 'active' as const,
      states: [state],
      asOf,
      last,
      timers: [],
      jobs: [],
      more: 0,
    }
    return { machine: 'm', version: '1', chart: null, total: 1, instances: [one] }
  }
  model.show(pictureOf('n1', { instances: said(9, 'new', 9) }))
  model.show(pictureOf('n4', { instances: said(8, 'new', 9, ['old']) }))
  model.show(pictureOf('n2', { instances: said(7, 'old', 7) }))
  model.show(pictureOf('n3'))
  expect(model.instances).toBe(null)
  for (const member of model.members.values()) model.setState(member, 'live', null)
  expect(model.instances?.newest.map(({ states }) => states)).toEqual([['new']])
  expect(model.instances?.newest[0]?.last?.from).toEqual(['old'])
})

test('of a member so many instances are kept, and none of before when all are told anew', () => {
  const model = new GroupModel('g', () => 0)
  model.show(pictureOf('n1'))
  const item = (key: string, index: number, whole = false) => {
    const last = { event: 'x', from: [], index, atMs: 0 }
    const one = {
      key,
      status: 'active' as const,
      states: [],
      asOf: index,
      last,
      timers: [],
      jobs: [],
      more: 0,
    }
    return {
      ...{ kind: 'instances' as const, machine: 'm', version: '1', chart: null, total: 1 },
      ...{ instances: [one], whole, atMs: 0 },
    }
  }
  model.hear(batchOf('n1', 0, ...Array.from({ length: 300 }, (_, at) => item(`k${at}`, at))))
  const kept = model.members.get('n1')?.instances
  expect([kept?.newest.length, kept?.newest[0]?.key]).toEqual([128, 'k299'])
  model.hear(batchOf('n1', 300, item('new', 300, true)))
  expect(kept?.newest.map(({ key }) => key)).toEqual(['new'])
})

test('another version that comes to run is told with its chart, and where all instances are then', async () => {
  const orders = replicate(orderMachine(new SlowWorld(), '2'), {
    maxIterations: 100,
    previous: { machine: orderMachine(new SlowWorld(), '1') },
  })
  const { world, leader: before, orders: old } = await started(['a'])
  await old.actor('o1').send({ type: 'add', amount: 1 })
  await world.close(before)
  const { node, connection } = await world.member('a', { stateMachine: orders })
  closers.push(attachServices({ node, transport: connection }).detach)
  await world.leader()
  const { model, ready, close } = watchGroup({ transport: world.bus.connect('viewer'), group: GROUP })
  closers.push(close)
  await ready()
  await until(() => model.charts.has('machine:order@1'), 'the chart of before')
  await orders.upgrade(node)
  await until(() => model.charts.has('machine:order@2'), 'the chart of now')
  expect(model.instances).toMatchObject({ version: '2', chart: 'machine:order@2', newest: [{ key: 'o1' }] })
})

describe('the Stately inspector', () => {
  test('has each instance as a root with its chart, told once by all members together', async () => {
    const { world, orders } = await started(['a', 'b', 'c'])
    await orders.actor('o1').send({ type: 'add', amount: 20 })
    const inspector = await openInspector({ hosts: [...world.members.values()].map(({ host }) => host) })
    closers.push(() => inspector.close())
    const messages: StatelyInspectionEvent[] = []
    createWebSocketReceiver({ server: inspector.socketUrl ?? '' }).subscribe((message) =>
      messages.push(message),
    )
    const of = (key: string) =>
      messages.filter(({ sessionId, type }) => sessionId === `instance:${key}` && type !== '@xstate.event')
    await until(() => of('o1').length === 1, 'the instance')
    expect(of('o1')).toMatchObject([
      { type: '@xstate.actor', name: 'order o1', rootId: 'instance:o1', snapshot: { value: 'open' } },
    ])
    const [first] = of('o1')
    const definition = first?.type === '@xstate.actor' ? (first.definition ?? '') : ''
    expect(JSON.parse(definition)).toMatchObject({ id: 'order', initial: 'open' })
    await orders.actor('o1').send({ type: 'add', amount: 1 })
    await orders.actor('o1').send({ type: 'pay' })
    await until(
      () =>
        of('o1').some(
          (each) => 'snapshot' in each && 'value' in each.snapshot && each.snapshot.value === 'paying',
        ),
      'its state',
    )
    await orders.actor('o1').send({ type: 'add', amount: 1 })
    await orders.actor('o2').send({ type: 'cancel' })
    await until(() => of('o2').length > 0, 'another one')
    expect(of('o1').filter(({ type }) => type === '@xstate.actor')).toHaveLength(1)
    expect(JSON.stringify(messages)).not.toContain('amount')
  })
})
