// Replicated machines in the simulated world: members crash, links are cut, clocks drift, and what was begun ends once.

import { expect, it } from 'vitest'
import { assign, fromPromise, setup } from 'xstate'
import { createSimulation, drawPlan, startFaults, worldOf } from '../../src/testing.ts'
import { replicate } from '../../src/xstate.ts'

/** Orders that are paid by a job and are given up after a while; `paid` notes what the job was called by. */
function orderMachine(paid: string[], version = '1') {
  return setup({
    types: {
      context: {} as { items: number; paid: number; late: number },
      events: {} as { type: 'add' } | { type: 'pay' } | { type: 'wait' },
    },
    actors: {
      payment: fromPromise<number, { items: number }>(async ({ input, self }) => {
        paid.push(self.id)
        await Promise.resolve()
        if (input.items % 3 === 2) throw new Error('no money')
        return input.items
      }),
    },
  }).createMachine({
    ...{ id: 'order', version, initial: 'open', context: { items: 0, paid: 0, late: 0 } },
    states: {
      open: {
        on: {
          add: { actions: assign({ items: ({ context }) => context.items + 1 }) },
          pay: 'paying',
          wait: 'waiting',
        },
      },
      paying: {
        invoke: {
          id: 'payment',
          src: 'payment',
          input: ({ context }) => ({ items: context.items }),
          onDone: { target: 'open', actions: assign({ paid: ({ context }) => context.paid + 1 }) },
          onError: 'open',
        },
      },
      waiting: {
        after: { 700: { target: 'open', actions: assign({ late: ({ context }) => context.late + 1 }) } },
      },
    },
  })
}

const OPTIONS = { maxIterations: 100, compareEvery: 10 }
const ordersOf = (paid: string[]) => replicate(orderMachine(paid), OPTIONS)

const SEEDS = process.env.REPLICATED_SEEDS?.split(',').map(Number) ?? [6, 7]

it.each(SEEDS)('seed %i leaves every instance at rest, and the same everywhere', async (seed) => {
  const paid: string[] = []
  const machines: ReturnType<typeof ordersOf>[] = []
  const plan = drawPlan({ seed, nodes: 3 })
  const stateMachine = () => {
    const machine = ordersOf(paid)
    machines.push(machine)
    return machine
  }
  const sim = await createSimulation({ ...worldOf(plan), stateMachine })
  const faults = startFaults(sim, plan)
  let applied = 0
  for (let i = 1; i <= 120; i += 1) {
    const event = { type: ['add', 'pay', 'add', 'wait'][i % 4] }
    void sim
      .propose(sim.leader() ?? 'A', ['event', `order ${i % 10}`, event])
      .then(({ outcome }) => outcome === 'ok' && applied++)
    await sim.run(plan.safetyMs / 120)
  }
  faults.stop()
  await sim.run(20_000)
  sim.check()
  const states = Array.from({ length: 10 }, (_, i) => machines.at(-1)?.read?.(['get', `order ${i}`]))
  for (const state of states) if (state !== null) expect(state).toMatchObject({ value: 'open' })
  expect(machines.map(({ divergence }) => divergence).filter((found) => found !== null)).toEqual([])
  expect(applied).toBeGreaterThan(10)
  expect(paid.length).toBeGreaterThan(0)
  await sim.close()
})

it.each(SEEDS.slice(0, 1))(
  'seed %i upgrades members one by one under load, and then the group',
  async (seed) => {
    const paid: string[] = []
    const machines: ReturnType<typeof ordersOf>[] = []
    const plan = drawPlan({ seed, nodes: 3 })
    const previous = { machine: orderMachine(paid) }
    let isNew = false
    const stateMachine = () => {
      const machine = isNew ? replicate(orderMachine(paid, '2'), { ...OPTIONS, previous }) : ordersOf(paid)
      machines.push(machine)
      return machine
    }
    const sim = await createSimulation({ ...worldOf(plan), stateMachine })
    let sent = 0
    const load = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const event = { type: ['add', 'pay', 'add', 'wait'][sent++ % 4] }
        void sim.propose(sim.leader() ?? 'A', ['event', `order ${sent % 10}`, event])
        await sim.run(50)
      }
    }
    await load(20)
    isNew = true
    for (const id of sim.nodes) {
      sim.crash(id)
      await load(10)
      sim.restart(id)
      await load(40)
    }
    await sim.run(10_000)
    const faults = startFaults(sim, plan)
    // Some of the simulated processes are no members: those have heard of no version.
    const newest = machines.slice(-sim.nodes.length).filter(({ version }) => version !== null)
    expect(newest.map(({ version }) => version)).toEqual(newest.map(() => '1'))
    expect(newest.length).toBeGreaterThanOrEqual(3)
    const apply = async (command: unknown) => {
      for (;;) {
        const { outcome } = await sim.settled(sim.propose(sim.leader() ?? 'A', command), 60_000)
        if (outcome === 'ok') return { index: 0, term: 0, result: null }
        await sim.run(100)
      }
    }
    await newest[0]?.upgrade({ apply, read: async () => null })
    await load(40)
    faults.stop()
    await sim.run(20_000)
    sim.check()
    const upgraded = machines.filter(({ version }) => version === '2')
    expect(upgraded.length).toBeGreaterThanOrEqual(3)
    const states = Array.from({ length: 10 }, (_, i) => upgraded.at(-1)?.read?.(['get', `order ${i}`]))
    for (const state of states) if (state !== null) expect(state).toMatchObject({ value: 'open' })
    await sim.close()
  },
)
