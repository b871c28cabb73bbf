// Replicated machines in the simulated world: members crash, links are cut, clocks drift, and what was begun ends once.

import { expect, it } from 'vitest'
import { createSimulation, drawPlan, startFaults, worldOf } from '../../src/testing.ts'
import { Judge } from './support/judge.ts'
import { type Doings, KINDS } from './support/kinds.ts'
import { carriers, Load, replicaOf } from './support/swarm.ts'

const SEEDS = process.env.REPLICATED_SEEDS?.split(',').map(Number) ?? [9, 11]
const DRAWN = SEEDS.flatMap((seed) => KINDS.map((kind) => [seed, kind.name, kind] as const))

it.each(DRAWN)(
  'seed %i of kind %s: all at rest and the same everywhere, timers in time, results and events counted once',
  async (seed, _, kind) => {
    const doings: Doings = { begun: [] }
    const judge = new Judge()
    const plan = drawPlan({ seed, nodes: 3 })
    const stateMachine = () => judge.watch(replicaOf(kind, doings))
    const sim = await createSimulation({ ...worldOf(plan), stateMachine })
    const faults = startFaults(sim, plan)
    await new Load(sim, judge, kind).send(120, plan.safetyMs / 120)
    faults.stop()
    await sim.run(20_000)
    sim.check()
    const { fired, ended } = judge.verdict(kind, carriers(sim))
    expect(fired + ended).toBeGreaterThan(0)
    await sim.close()
  },
  60_000,
)
