// Three hosts with a replicated machine: the leader is killed while a timer is armed and a job runs, and both end once.

import { isDeepStrictEqual } from 'node:util'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { waitFor } from 'xstate'
import { connectClient } from '../../src/client.ts'
import type { RaftNode } from '../../src/index.ts'
import { attachServices } from '../../src/services/attach.ts'
import { replicate } from '../../src/xstate.ts'
import { GROUP, type Member, until, World } from '../host/support/world.ts'
import { type World as OrderWorld, orderMachine, type Payment } from './support/order.ts'
import { Mail, shopMachine } from './support/receipts.ts'

/** A bank that does what it is told once per key, and whose first answer never comes. */
class Bank {
  readonly paid = new Map<string, number>()
  readonly asked: string[] = []
  #isSilent = true

  pay({ amount }: Payment, key: string): Promise<unknown> {
    this.asked.push(key)
    this.paid.set(key, amount)
    if (!this.#isSilent) return Promise.resolve(`receipt of ${amount}`)
    this.#isSilent = false
    return new Promise(() => {})
  }
}

async function start(world: World, bank: Bank) {
  const machines = new Map<string, ReturnType<typeof ordersOf>>()
  const ordersOf = () => {
    const orderWorld: OrderWorld = { calls: [], acted: [], pay: (payment, key) => bank.pay(payment, key) }
    return replicate(orderMachine(orderWorld), { maxIterations: 100, compareEvery: 2 })
  }
  const member = (id: string): Promise<Member> => {
    const stateMachine = ordersOf()
    machines.set(id, stateMachine)
    return world.member(id, { stateMachine })
  }
  const ordersAt = ({ id, node }: { id: string; node: RaftNode }) => {
    const machine = machines.get(id)
    if (machine === undefined) throw new Error(`${id} has not begun`)
    return machine.actors(node)
  }
  const hashes = () => [...world.members.keys()].map((id) => machines.get(id)?.stateHash?.())
  const divergences = () => [...machines.values()].map(({ divergence }) => divergence)
  await Promise.all(world.ids.map(member))
  return { member, ordersAt, hashes, divergences, ...(await world.leader()) }
}

describe('an order', () => {
  it('whose leader is killed while a timer is armed and a job runs: both end once', async () => {
    await using world = new World('a', 'b', 'c')
    const bank = new Bank()
    const { leader, followers, member, ordersAt, hashes, divergences } = await start(world, bank)
    const orders = ordersAt(leader)
    await orders.actor('paid').send({ type: 'add', amount: 12 })
    const paying = await orders.actor('paid').send({ type: 'pay' })
    expect(paying.snapshot.value).toBe('paying')
    await orders.actor('late').send({ type: 'later', ms: 500 })
    await until(() => bank.asked.length === 1, 'the job runs')
    const [follower] = followers
    if (follower === undefined) throw new Error('there is no follower')
    const watched = ordersAt(follower).actor('paid')
    const emitted: unknown[] = []
    watched.on('paid', (event) => emitted.push(event))
    const done = waitFor(watched, ({ status }) => status === 'done', { timeout: 8000 })
    await world.kill(leader)
    expect((await done).context).toMatchObject({ amount: 12, receipt: 'receipt of 12' })
    const late = ordersAt(follower).actor('late')
    const { context } = await waitFor(late, (snapshot) => snapshot.context.heard.length > 0, {
      timeout: 8000,
    })
    expect(context.heard).toEqual(['later'])
    // Asked twice under one key, which is how the bank paid once.
    expect([...bank.paid]).toEqual([[`${GROUP}/paid/payment/${paying.index}`, 12]])
    expect(bank.asked).toHaveLength(2)
    expect(emitted).toEqual([{ type: 'paid', amount: 12 }])
    await follower.node.snapshot()
    await member(leader.id)
    await until(() => new Set(hashes()).size === 1, 'the same state everywhere')
    expect(divergences()).toEqual([null, null, null, null].slice(0, divergences().length))
  })

  it('whose leader is killed while it sends a receipt: the next one sends it, under the same name', async () => {
    await using world = new World('a', 'b', 'c')
    const mail = new Mail()
    // The first answer never comes.
    mail.answer = () => (mail.sent.length === 1 ? new Promise(() => {}) : undefined)
    const machines = new Map(
      world.ids.map((id) => [
        id,
        replicate(shopMachine(mail), { maxIterations: 10, durable: ['sendFarewell', 'sendReceipt'] }),
      ]),
    )
    await Promise.all([...machines].map(([id, stateMachine]) => world.member(id, { stateMachine })))
    const { leader } = await world.leader()
    const shop = machines.get(leader.id)?.actors(leader.node).actor('x')
    expect((await shop?.send({ type: 'close' }))?.snapshot.status).toBe('done')
    await until(() => mail.sent.length === 2, 'both are sent')
    await world.kill(leader)
    const rest = [...world.members.keys()].map((id) => machines.get(id))
    const pending = { timers: {}, jobs: {} }
    await until(
      () => rest.every((machine) => isDeepStrictEqual(machine?.read?.(['pending', 'x']), pending)),
      'both have ended',
    )
    const names = mail.sent.map(({ by }) => by)
    expect(names.length).toBeGreaterThanOrEqual(3)
    expect(names.slice(2)).toContain(names[0])
    expect(new Set(names).size).toBe(2)
  })

  it('is the same for a client elsewhere', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers, ordersAt } = await start(world, new Bank())
    for (const { node, connection } of [leader, ...followers]) attachServices({ transport: connection, node })
    const transport = world.bus.connect('app')
    const client = connectClient({ transport, group: GROUP })
    const orders = replicate(orderMachine({ calls: [], acted: [], pay: async () => 1 }), {
      maxIterations: 100,
    })
    const order = orders.actors(client).actor('far')
    const seen: number[] = []
    order.subscribe(({ context }) => seen.push(context.amount))
    expect((await order.send({ type: 'add', amount: 2 })).snapshot.context.amount).toBe(2)
    await expect(order.send({ type: 'add', amount: 2 }, { unaccepted: 'refuse' })).resolves.toMatchObject({
      accepted: true,
    })
    await expect(order.send({ type: 'spoil' })).rejects.toMatchObject({
      code: 'STATE_MACHINE',
      outcome: 'not-applied',
    })
    const large = 'x'.repeat(5 * 1024 * 1024)
    for (const through of [order, ordersAt(leader).actor('far')])
      await expect(through.send({ type: 'note', word: large })).rejects.toMatchObject({
        code: 'TOO_LARGE',
        outcome: 'not-applied',
      })
    expect((await order.read()).context.amount).toBe(4)
    expect(order.getSnapshot().context.amount).toBe(4)
    expect(seen).toEqual([2, 4])
    client.close()
    await transport.close()
  })
})

describe('a handle', () => {
  it('has the types of its machine', () => {
    const machine = orderMachine({ calls: [], acted: [], pay: async () => 1 })
    const order = replicate(machine, { maxIterations: 100, input: () => ({ amount: 1 }) })
      .actors({ apply: () => Promise.reject(new Error('nobody')), read: async () => null })
      .actor('x')
    expectTypeOf(order.send).parameter(0).toExtend<{ type: string }>()
    expectTypeOf(order.getSnapshot().context.amount).toEqualTypeOf<number>()
    expectTypeOf<Awaited<ReturnType<typeof order.send>>['snapshot']['context']['heard']>().toEqualTypeOf<
      string[]
    >()
    expectTypeOf<Parameters<typeof order.create>[0]>().toEqualTypeOf<{ amount: number } | undefined>()
    const never = () => {
      // @ts-expect-error an event that the machine does not know
      void order.send({ type: 'fly' }).catch(() => {})
      // @ts-expect-error an event without what belongs to it
      order.can({ type: 'add' })
      // @ts-expect-error a state that the machine has not
      order.getSnapshot().matches('flying')
      // @ts-expect-error an emitted event that the machine does not know
      order.on('flown', () => {})
    }
    expect(never).toBeTypeOf('function')
    expect(order.getSnapshot().context.amount).toBe(1)
  })
})
