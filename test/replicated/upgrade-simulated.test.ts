// A group changes over to another version in the simulated world: under load, and while members crash, links are cut and
// messages are lost.

import { expect, it } from 'vitest'
import { createSimulation, drawPlan, type Simulation, startFaults, worldOf } from '../../src/testing.ts'
import type { OldInstance } from '../../src/xstate.ts'
import { Judge } from './support/judge.ts'
import { type Doings, KINDS, type Kind } from './support/kinds.ts'
import { carriers, Load, replicaOf } from './support/swarm.ts'

const SEEDS = process.env.REPLICATED_SEEDS?.split(',').map(Number) ?? [115]
const DRAWN = SEEDS.flatMap((seed) => KINDS.map((kind) => [seed, kind.name, kind] as const))

/** Each instance tells how often it was taken over. */
const moved = (old: OldInstance): OldInstance => {
  const context = Object(old.context)
  return { ...old, context: { ...context, moved: (context.moved ?? 0) + 1 } }
}

async function started(seed: number, kind: Kind) {
  const doings: Doings = { begun: [] }
  const judge = new Judge()
  const plan = drawPlan({ seed, nodes: 3 })
  const previous = { machine: kind.machine(doings), durable: kind.durable, migrate: moved }
  const code = { isNew: false }
  const stateMachine = () =>
    judge.watch(replicaOf(kind, doings, code.isNew ? { version: '2', previous } : null))
  const sim = await createSimulation({ ...worldOf(plan), stateMachine, machineErrors: 'allow' })
  const load = new Load(sim, judge, kind)
  return { judge, plan, code, sim, load }
}

const restart = (sim: Simulation, id: string): void => {
  if (sim.node(id).alive) sim.crash(id)
  sim.restart(id)
}

/** As an operator does it: until somebody says that it is done. */
async function upgrade(sim: Simulation, judge: Judge): Promise<void> {
  const apply = async (command: unknown) => {
    for (;;) {
      const answer = await sim.settled(sim.propose(sim.leader() ?? 'A', command), 60_000)
      if (answer.outcome === 'ok') return answer
      await sim.run(100)
    }
  }
  await judge.current.get('A')?.upgrade({ apply, read: async () => null })
}

it.each(DRAWN)(
  'seed %i of kind %s: members restart with new code, the group changes over, and nothing is lost',
  async (seed, _, kind) => {
    const { judge, plan, code, sim, load } = await started(seed, kind)
    const everyMs = plan.safetyMs / 120
    const faults = startFaults(sim, plan)
    await load.send(30, everyMs)
    code.isNew = true
    for (const id of sim.nodes) {
      restart(sim, id)
      await load.send(Math.ceil(30 / sim.nodes.length), everyMs)
    }
    const before = [...judge.current.values()].map(({ version }) => version)
    expect(before.filter((version) => version === '2')).toEqual([])
    const instances = judge.notes(sim.leader() ?? 'A', 'heard').length
    const upgraded = upgrade(sim, judge)
    await load.send(30, everyMs)
    faults.stop()
    await Promise.all([upgraded, load.send(30, everyMs)])
    await sim.run(10_000)

    // One that is started with the code of before stops, and says so; the others go on without it.
    code.isNew = false
    const old = carriers(sim).find((id) => id !== sim.leader()) ?? ''
    restart(sim, old)
    await sim.run(5000)
    expect(sim.node(old).status()).toMatchObject({
      role: expect.stringMatching(/^(error|shutdown)$/),
      error: expect.stringMatching(
        `this member carries machine ${kind.name} of version 1, its group ${kind.name} of version 2: start it with code`,
      ),
    })
    code.isNew = true
    restart(sim, old)
    await sim.run(10_000)
    sim.check()
    judge.verdict(kind, carriers(sim))
    for (const id of carriers(sim)) expect(judge.current.get(id)?.version).toBe('2')
    const times = judge.notes(old, 'moved').filter((count) => count !== undefined)
    expect(new Set(times)).toEqual(new Set([1]))
    expect(times.length).toBeGreaterThanOrEqual(instances)
    await sim.close()
  },
  60_000,
)
