// Replicated machines in the simulated world: members crash, links are cut, clocks drift, and what was begun ends once.

import { expect, it } from 'vitest'
import { assign, fromPromise, setup } from 'xstate'
import { createSimulation, drawPlan, startFaults, worldOf } from '../../src/testing.ts'
import { replicate } from '../../src/xstate.ts'

/** Orders that are paid by a job and are given up after a while; `paid` notes what the job was called by. */
function ordersOf(paid: string[]) {
  const machine = setup({
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
    ...{ id: 'order', version: '1', initial: 'open', context: { items: 0, paid: 0, late: 0 } },
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
  return replicate(machine, { maxIterations: 100, compareEvery: 10 })
}

const SEEDS = process.env.REPLICATED_SEEDS?.split(',').map(Number) ?? [3, 6, 7, 8]

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
