// What happens to the instances of a replicated machine: the same on every member, whatever becomes of the leader.

import { describe, expect, it } from 'vitest'
import { waitFor } from 'xstate'
import { QuorateError } from '../../src/errors.ts'
import { type ReplicateOptions, replicate } from '../../src/xstate.ts'
import { rejection } from '../host/support/world.ts'
import { Group, save, turn } from './support/group.ts'
import { orderMachine, SlowWorld } from './support/order.ts'

type OrderMachine = ReturnType<typeof orderMachine>

async function groupOf(options: ReplicateOptions<OrderMachine> = {}, ids = ['a', 'b', 'c']) {
  const worlds = new Map<string, SlowWorld>()
  const group = new Group((id) => {
    const world = new SlowWorld()
    worlds.set(id, world)
    return replicate(orderMachine(world), { maxIterations: 100, ...options })
  }, ids)
  const world = (id: string): SlowWorld => worlds.get(id) ?? new SlowWorld()
  group.lead('a')
  await turn()
  return { group, world, order: group.at('a').actor('4711') }
}

describe('an event', () => {
  it('creates its instance, is applied in order, and leaves the same state everywhere', async () => {
    const { group, order } = await groupOf()
    const sent = await Promise.all([2, 3, 4].map((amount) => order.send({ type: 'add', amount })))
    expect(sent.map(({ snapshot }) => snapshot.context.amount)).toEqual([2, 5, 9])
    expect(sent.map(({ index }) => index)).toEqual([2, 3, 4])
    for (const id of ['a', 'b', 'c'])
      expect(group.at(id).actor('4711').getSnapshot().context).toEqual({
        amount: 9,
        receipt: null,
        heard: [],
      })
    expect(group.hashes().size).toBe(1)
    expect((await group.at('b').actor('4711').read()).context.amount).toBe(9)
  })

  it('without a transition changes nothing, and is refused if that is asked for', async () => {
    const { order } = await groupOf()
    expect(await order.send({ type: 'say', word: 'x' })).toMatchObject({ accepted: false })
    const error = await rejection(order.send({ type: 'say', word: 'x' }, { unaccepted: 'refuse' }))
    expect(error).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
    expect(order.can({ type: 'say', word: 'x' })).toBe(false)
    expect(order.can({ type: 'pay' })).toBe(true)
  })

  it('at which a guard throws is not applied, with the same verdict everywhere, and the instance goes on', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'add', amount: 13 })
    const before = group.hashes()
    const error = await rejection(order.send({ type: 'pay' }))
    expect(error).toMatchObject({ code: 'STATE_MACHINE', outcome: 'not-applied' })
    expect(String(error)).toContain('thirteen is bad luck')
    expect(group.hashes()).toEqual(before)
    expect((await order.send({ type: 'add', amount: 1 })).snapshot.context.amount).toBe(14)
  })

  it('that makes what cannot be kept is not applied, and the sentence says where', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'add', amount: 1 })
    expect(String(await rejection(order.send({ type: 'spoil' })))).toMatch(/\.context\.receipt is a function/)
    expect(order.getSnapshot().context.receipt).toBe(null)
    expect(group.hashes().size).toBe(1)
  })

  it('that begins an endless circle is not applied', async () => {
    const { order } = await groupOf()
    expect(String(await rejection(order.send({ type: 'loop' })))).toMatch(/Infinite loop detected/)
    expect((await order.send({ type: 'add', amount: 1 })).snapshot.value).toBe('open')
  })

  it('leaves no undefined behind, which bytes could not hold', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'forget' })
    expect(order.getSnapshot().context).toStrictEqual({ amount: 0, receipt: null, heard: [] })
    expect(group.hashes().size).toBe(1)
  })

  it('that has ended its instance is the last one; it stays readable', async () => {
    const { group, order } = await groupOf()
    expect((await order.send({ type: 'cancel' })).snapshot.status).toBe('done')
    const error = await rejection(order.send({ type: 'add', amount: 1 }))
    expect(error).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
    expect(String(error)).toContain('has ended (done)')
    expect((await group.at('c').actor('4711').read()).value).toBe('canceled')
  })

  it('comes after a creation with an input of its own, which happens once', async () => {
    const { order } = await groupOf()
    expect((await order.create({ amount: 7 })).snapshot.context.amount).toBe(7)
    expect(await rejection(order.create({ amount: 8 }))).toMatchObject({ code: 'CONFLICT' })
    expect((await order.send({ type: 'add', amount: 1 })).snapshot.context.amount).toBe(8)
  })

  it('is heard by whoever subscribes, on any member, and waitFor of XState works', async () => {
    const { group, order } = await groupOf()
    const there = group.at('b').actor('4711')
    const emitted: string[] = []
    there.on('*', ({ type }) => emitted.push(type))
    const canceled = waitFor(there, (snapshot) => snapshot.matches('canceled'))
    const amount = there.select(({ context }) => context.amount)
    const amounts: number[] = []
    amount.subscribe((value) => amounts.push(value))
    await order.send({ type: 'add', amount: 1 })
    await order.send({ type: 'note', word: 'x' })
    await order.send({ type: 'cancel' })
    expect((await canceled).context.amount).toBe(1)
    expect({ emitted, amounts }).toEqual({ emitted: ['opened'], amounts: [1] })
  })

  it('has its actions performed where its member leads, and nowhere else', async () => {
    const { group, world, order } = await groupOf()
    await order.send({ type: 'note', word: 'x' })
    group.start('d')
    expect(['a', 'b', 'c', 'd'].map((id) => world(id).acted.length)).toEqual([1, 0, 0, 0])
  })
})

describe('a timer', () => {
  it('fires through the log: never early, once, and not when its state was left', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'add', amount: 1 })
    await order.send({ type: 'pay' })
    await group.clock.advance(4999)
    expect(order.getSnapshot().value).toBe('paying')
    await group.clock.advance(2)
    expect(order.getSnapshot().value).toBe('canceled')
    expect(group.log).toHaveLength(4)
    expect(group.hashes().size).toBe(1)
  })

  it('outlives its leader: the next one fires it, late at most by its own coming', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'pay' })
    await group.clock.advance(3000)
    group.kill('a')
    await group.clock.advance(4000)
    group.lead('b')
    await group.clock.advance(1)
    expect(group.at('c').actor('4711').getSnapshot().value).toBe('canceled')
    await group.clock.advance(60_000)
    expect(group.log).toHaveLength(4)
  })

  it('that is said to be due before its time, or not waited for any more, does nothing', async () => {
    const { group, order } = await groupOf()
    const { index } = await order.send({ type: 'pay' })
    const id = 'xstate.after.patience.order.paying'
    const said = async (armedAt: number) => (await group.propose(['fire', '4711', id, armedAt])).result
    expect(await said(index)).toMatchObject({ ok: false, code: 'EARLY' })
    expect(await said(index - 1)).toMatchObject({ ok: false, code: 'STALE' })
    expect(order.getSnapshot().value).toBe('paying')
  })

  it('is armed anew under its name, and fires once, in its own time', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'later', ms: 100 })
    await group.clock.advance(60)
    await order.send({ type: 'later', ms: 100 })
    await group.clock.advance(60)
    expect(order.getSnapshot().context.heard).toEqual([])
    await group.clock.advance(60)
    expect(order.getSnapshot().context.heard).toEqual(['later'])
  })

  it('waits for the time of the log when that goes slower than the clock of the leader', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'later', ms: 100 })
    group.slowMs = 50
    await group.clock.advance(149)
    expect(order.getSnapshot().context.heard).toEqual([])
    await group.clock.advance(2)
    expect(order.getSnapshot().context.heard).toEqual(['later'])
  })

  it('that was due while nobody led fires when the log says how late it is', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'pay' })
    for (const id of ['a', 'b', 'c']) group.kill(id)
    group.clock.offsetMs += 3_600_000
    group.start('a')
    group.lead('a')
    await group.clock.advance(1)
    expect(group.at('a').actor('4711').getSnapshot().value).toBe('canceled')
  })

  it('whose delay is no number refuses the event', async () => {
    const { order } = await groupOf()
    const error = await rejection(order.send({ type: 'later', ms: Number.NaN }))
    expect(String(error)).toContain('the delay of note is NaN')
  })

  it('fires in its turn, whatever the order in which they were armed', async () => {
    const { group } = await groupOf({ compareEvery: 0 }, ['a'])
    const orders = group.at('a')
    const delays = Array.from({ length: 31 }, (_, i) => 10 + ((i * 12) % 31))
    for (const ms of delays) await orders.actor(`${ms}`).send({ type: 'later', ms })
    for (let ms = 10; ms <= 40; ms += 1) {
      await group.clock.advance(ms === 10 ? 10 : 1)
      const fired = delays.filter((each) => orders.actor(`${each}`).getSnapshot().context.heard.length > 0)
      expect(fired.sort()).toEqual(delays.filter((each) => each <= ms).sort())
    }
  })

  it('is one of ten thousand that are due at once', async () => {
    const { group } = await groupOf({ compareEvery: 0 }, ['a'])
    const orders = group.at('a')
    for (let i = 0; i < 10_000; i += 1) await orders.actor(`${i}`).send({ type: 'later', ms: 1000 - (i % 3) })
    await group.clock.advance(1001)
    await turn()
    const late = Array.from({ length: 10_000 }, (_, i) => orders.actor(`${i}`).getSnapshot().context.heard)
    expect(late.filter((heard) => heard.length !== 1).length).toBe(0)
    expect(group.log).toHaveLength(20_001)
  }, 30_000)
})

describe('a job', () => {
  it('runs at the leader alone, and its result is an entry', async () => {
    const { group, world, order } = await groupOf()
    await order.send({ type: 'add', amount: 5 })
    const emitted: unknown[] = []
    group
      .at('c')
      .actor('4711')
      .on('paid', (event) => emitted.push(event))
    await order.send({ type: 'pay' })
    expect(['a', 'b', 'c'].map((id) => world(id).calls)).toEqual([['orders/4711/payment/3'], [], []])
    world('a').waiting[0]?.resolve({ paid: 5 })
    await turn()
    expect(group.at('b').actor('4711').getSnapshot()).toMatchObject({
      ...{ value: 'paid', status: 'done', context: { receipt: { paid: 5 } } },
    })
    expect(emitted).toEqual([{ type: 'paid', amount: 5 }])
    expect(group.hashes().size).toBe(1)
  })

  it('without a result is started over by the next leader, under the same name, and counts once', async () => {
    const { group, world, order } = await groupOf()
    const { index } = await order.send({ type: 'pay' })
    group.lead('b')
    expect(world('b').calls).toEqual(world('a').calls)
    world('a').waiting[0]?.resolve('first')
    world('b').waiting[0]?.resolve('second')
    await turn()
    expect(order.getSnapshot().context.receipt).toBe('second')
    const again = await group.propose(['done', '4711', 'payment', index, { output: 'third' }])
    expect(again.result).toMatchObject({ ok: false, code: 'STALE' })
    expect(order.getSnapshot().context.receipt).toBe('second')
  })

  it('is not started again while its result is on its way, which is tried until it arrives', async () => {
    const { group, world, order } = await groupOf()
    await order.send({ type: 'pay' })
    group.refuse = () => new QuorateError('BUSY', 'The queue is full.', { retryable: true })
    world('a').waiting[0]?.resolve('late')
    await group.clock.advance(200)
    expect(order.getSnapshot().value).toBe('paying')
    group.refuse = null
    await group.clock.advance(100)
    expect(order.getSnapshot().context.receipt).toBe('late')
    expect(world('a').calls).toHaveLength(1)
  })

  it('whose leader dies between its end and its result in the log is started over, and counts once', async () => {
    const { group, world, order } = await groupOf()
    await order.send({ type: 'pay' })
    group.refuse = () => new QuorateError('SHUTDOWN', 'It is over.', { outcome: 'unknown' })
    world('a').waiting[0]?.resolve('first')
    await turn()
    group.kill('a')
    group.refuse = null
    group.lead('b')
    await group.clock.advance(200)
    expect(order.getSnapshot().value).toBe('paying')
    expect(world('b').calls).toEqual(world('a').calls)
    world('b').waiting[0]?.resolve('second')
    await turn()
    expect(group.at('c').actor('4711').getSnapshot().context.receipt).toBe('second')
    expect(group.hashes().size).toBe(1)
  })

  it.each([
    ['that fails', new Error('no money'), 'no money'],
    ['that fails with something else', 'nothing', 'nothing'],
  ])('%s goes where onError says', async (_, error, failure) => {
    const { group, world, order } = await groupOf()
    await order.send({ type: 'pay' })
    world('a').waiting[0]?.reject(error)
    await turn()
    expect(order.getSnapshot()).toMatchObject({ value: 'open', context: { failure } })
    expect(group.hashes().size).toBe(1)
  })

  it('that returns what cannot be kept has failed', async () => {
    const { world, order } = await groupOf()
    await order.send({ type: 'pay' })
    world('a').waiting[0]?.resolve({ at: new Date(0) })
    await turn()
    expect(order.getSnapshot().context.failure).toMatch(/cannot be kept.*Date/)
  })

  it('that takes longer than it may has failed, and is stopped', async () => {
    const { group, order } = await groupOf({ jobTimeoutMs: 1000 })
    await order.send({ type: 'pay' })
    await group.clock.advance(1001)
    expect(order.getSnapshot().context.failure).toMatch(/took longer than 1000 ms/)
  })

  it('is stopped when nobody waits for it any more', async () => {
    const { world, order } = await groupOf()
    await order.send({ type: 'listen' })
    await order.send({ type: 'cancel' })
    expect(world('a').calls).toEqual(['ear', 'ear is closed'])
  })

  it('hears what it is sent, and what it sends back is an event like others', async () => {
    const { group, order } = await groupOf()
    await order.send({ type: 'listen' })
    await order.send({ type: 'say', word: 'hi' })
    await turn()
    for (const id of ['a', 'b', 'c'])
      expect(group.at(id).actor('4711').getSnapshot().context.heard).toEqual(['hi!', 'self'])
  })
})

describe('states', () => {
  /** A life with everything in it. */
  async function story() {
    const { group, world, order } = await groupOf()
    const orders = group.at('a')
    await order.send({ type: 'add', amount: 13 })
    await order.send({ type: 'pay' }).catch(() => {})
    await orders.actor('ear').send({ type: 'listen' })
    await orders.actor('ear').send({ type: 'say', word: 'hi' })
    await orders.actor('late').send({ type: 'later', ms: 50 })
    await group.clock.advance(60)
    await orders.actor('waits').send({ type: 'pay' })
    const saved = await save(group.member('b'))
    await orders.actor('paid').send({ type: 'pay' })
    world('a').waiting[1]?.resolve(1)
    await group.clock.advance(6000)
    await orders.actor('late').send({ type: 'later', ms: 50 })
    return { group, saved, world }
  }

  it('are the same bytes: live, from the log, and from a snapshot and the rest of the log', async () => {
    const { group, saved, world } = await story()
    group.start('replayed')
    await group.startFrom('restored', saved)
    const all = await Promise.all([...group.members.values()].map(save))
    const [live] = all
    for (const { bytes } of all) expect(Buffer.compare(bytes, live?.bytes ?? new Uint8Array())).toBe(0)
    expect(group.hashes().size).toBe(1)
    expect(
      [world('replayed'), world('restored')].flatMap(({ calls, acted }) => [...calls, ...acted]),
    ).toEqual([])
  })

  it('from a snapshot have their timers and jobs', async () => {
    const { group, saved, world } = await story()
    group.log.length = saved.index
    for (const id of ['a', 'b', 'c']) group.kill(id)
    await group.startFrom('d', saved)
    group.lead('d')
    expect(world('d').calls.sort()).toEqual(['ear', `orders/waits/payment/${saved.index}`])
    await group.clock.advance(6000)
    expect(group.at('d').actor('waits').getSnapshot().value).toBe('canceled')
  })
})
