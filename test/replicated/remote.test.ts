// Instances in the hands of a client process: what is heard of them there, also when the member that tells it is gone.

import { afterEach, describe, expect, test } from 'vitest'
import { waitFor } from 'xstate'
import { attachServices, connectClient, type QuorateClient } from '../../src/client.ts'
import { openHost } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { replicate } from '../../src/xstate.ts'
import { GROUP, type Member, QUICK, until, World } from '../host/support/world.ts'
import { NatsServer } from '../support/nats-server.ts'
import { orderMachine, SlowWorld } from './support/order.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const ordersOf = (world = new SlowWorld()) => replicate(orderMachine(world), { maxIterations: 100 })

/** Finds out soon when a member is gone. */
const impatient = (client: QuorateClient): QuorateClient => ({
  ...client,
  subscribe: (query, options) => client.subscribe(query, { ...options, waitMs: 200 }),
})

async function started(...ids: string[]) {
  const world = new World(...ids)
  closers.push(() => world[Symbol.asyncDispose]())
  const bank = new SlowWorld()
  await Promise.all(
    ids.map(async (id) => {
      const { node, connection } = await world.member(id, { stateMachine: ordersOf(bank) })
      closers.push(attachServices({ node, transport: connection }).detach)
    }),
  )
  const { leader } = await world.leader()
  /** Another process: a client, and a machine that no member here carries. */
  const process = (name: string) => {
    const transport = world.bus.connect(name)
    const asked: string[] = []
    const spied: Transport = {
      ...{ inbox: transport.inbox, status: () => transport.status(), close: () => transport.close() },
      onStatus: (handler) => transport.onStatus(handler),
      subscribe: (...given) => transport.subscribe(...given),
      publish: (subject, ...given) => {
        if (subject.endsWith('.subscribe')) asked.push(subject)
        return transport.publish(subject, ...given)
      },
    }
    const client = connectClient({ transport: spied, group: GROUP })
    closers.push(() => client.close())
    return { asked, orders: ordersOf().actors(impatient(client)) }
  }
  return { world, leader, bank, process }
}

describe('a handle of a client', () => {
  test('hears what others do, in order and once, waits, and knows what is possible', async () => {
    const { bank, process } = await started('a', 'b', 'c')
    const [here, there] = [process('here'), process('there')]
    const order = here.orders.actor('o1')
    const [amounts, emitted]: [number[], unknown[]] = [[], []]
    let completed = 0
    const subscription = order.subscribe({
      next: ({ context }) => amounts.push(context.amount),
      complete: () => {
        completed += 1
      },
    })
    order.on('paid', (event) => emitted.push(event))
    const other = there.orders.actor('o1')
    await other.send({ type: 'add', amount: 1 })
    await waitFor(order, ({ context }) => context.amount === 1)
    await order.send({ type: 'add', amount: 2 })
    await other.send({ type: 'add', amount: 3 })
    await waitFor(order, ({ context }) => context.amount === 6)
    expect([order.can({ type: 'pay' }), order.can({ type: 'heard', word: 'x' })]).toEqual([true, false])
    expect(order.getSnapshot().value).toBe('open')
    await other.send({ type: 'pay' })
    const paid = waitFor(here.orders.actor('o1'), ({ status }) => status === 'done')
    await until(() => bank.waiting.length === 1, 'the job')
    bank.waiting[0]?.resolve('receipt')
    expect((await paid).context).toMatchObject({ amount: 6, receipt: 'receipt' })
    await until(() => emitted.length > 0 && completed > 0, 'the end')
    expect(emitted).toEqual([{ type: 'paid', amount: 6 }])
    expect(completed).toBe(1)
    expect(amounts).toEqual(amounts.toSorted((a, b) => a - b))
    expect(new Set(amounts)).toEqual(new Set([1, 3, 6]))
    subscription.unsubscribe()
  })

  test('goes on when the member that tells it is killed', async () => {
    const { world, process } = await started('a', 'b', 'c')
    const { asked, orders } = process('app')
    const order = orders.actor('o1')
    const amounts: number[] = []
    const subscription = order.subscribe(({ context }) => amounts.push(context.amount))
    await order.send({ type: 'add', amount: 1 })
    const nameOf = (subject = ''): Member | undefined => world.members.get(subject.split('.')[2] ?? '')
    await until(() => nameOf(asked.at(-1)) !== undefined, 'a member that is asked again')
    const member = nameOf(asked.at(-1))
    if (member === undefined) throw new Error('nobody is asked')
    await world.kill(member)
    await world.leader()
    const { orders: others } = process('other')
    await others.actor('o1').send({ type: 'add', amount: 10 })
    await waitFor(order, ({ context }) => context.amount === 11, { timeout: 8000 })
    expect(amounts).toEqual([1, 11])
    subscription.unsubscribe()
    const before = asked.length
    await others.actor('o1').send({ type: 'add', amount: 1 })
    expect(asked.length).toBeLessThanOrEqual(before + 1)
  })

  test('says that nobody answers, to those who listen', async () => {
    const { world } = await started('a')
    const client = connectClient({ transport: world.bus.connect('lost'), group: 'nobody', timeoutMs: 50 })
    closers.push(() => client.close())
    const failed = new Promise((error) => ordersOf().actors(client).actor('x').subscribe({ error }))
    expect(await failed).toMatchObject({ code: 'UNREACHABLE' })
  })
})

test('a handle never goes back, whatever comes late, and hears once what was emitted', async () => {
  const waiting: ((next: { value: unknown; index: number }) => void)[] = []
  const state = (amount: number) => ({
    ...{ status: 'active', value: 'open', context: { amount, receipt: null, heard: [] } },
  })
  const order = ordersOf()
    .actors({
      apply: async () => ({ index: 10, term: 1, result: { accepted: true, state: state(10) } }),
      read: () => Promise.reject(new Error('nobody reads')),
      subscribe: async function* () {
        for (;;) yield await new Promise<{ value: unknown; index: number }>((next) => waiting.push(next))
      },
    })
    .actor('x')
  const [amounts, emitted]: [number[], unknown[]] = [[], []]
  order.subscribe(({ context }) => amounts.push(context.amount))
  order.on('paid', ({ amount }) => emitted.push(amount))
  const say = async (index: number, amount: number, ...paid: number[]) => {
    await until(() => waiting.length > 0, 'somebody who listens')
    const events = paid.map((at) => [at, { type: 'paid', amount: at }])
    waiting.shift()?.({ value: { state: state(amount), emitted: events }, index })
  }
  await say(5, 5, 4, 5)
  await until(() => amounts.length === 1, 'the first')
  await order.send({ type: 'add', amount: 1 })
  await say(7, 7, 4, 5, 7)
  await say(10, 10, 7)
  await say(12, 12, 7, 11)
  await until(() => amounts.at(-1) === 12, 'the last')
  expect(amounts).toEqual([5, 10, 12])
  expect(emitted).toEqual([7, 11])
})

test('two clients on a real nats-server hear of each other’s events, and of a member that is killed nothing', async () => {
  const server = await NatsServer.start()
  closers.push(() => server.stop())
  const peers = ['a', 'b', 'c']
  const connect = async (id: string) => {
    const transport = await connectNats({ servers: server.url, id })
    closers.push(() => transport.close())
    return transport
  }
  const members = await Promise.all(
    peers.map(async (id) => {
      const transport = await connect(id)
      const host = await openHost({ id, storage: new MemoryStorage(), transport })
      closers.push(() => host.close())
      const node = await host.startNode({ group: GROUP, peers, stateMachine: ordersOf(), ...QUICK })
      return { id, host, node, services: attachServices({ node, transport }) }
    }),
  )
  const handles = await Promise.all(
    ['here', 'there'].map(async (name) => {
      const client = connectClient({ transport: await connect(name), group: GROUP })
      closers.push(() => client.close())
      return ordersOf().actors(impatient(client)).actor('o1')
    }),
  )
  const [here, there] = handles
  if (here === undefined || there === undefined) throw new Error('there are two')
  const amounts: number[] = []
  here.subscribe(({ context }) => amounts.push(context.amount))
  await there.send({ type: 'add', amount: 1 })
  await waitFor(here, ({ context }) => context.amount === 1, { timeout: 8000 })
  const leader = members.find(({ node }) => node.status().role === 'leader')
  leader?.services.detach()
  leader?.host.destroy()
  await until(
    () => members.some((each) => each !== leader && each.node.status().role === 'leader'),
    'the next one',
  )
  await there.send({ type: 'add', amount: 10 })
  await waitFor(here, ({ context }) => context.amount === 11, { timeout: 8000 })
  expect(amounts).toEqual([1, 11])
})
