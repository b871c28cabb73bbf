// Replicated machines in the simulated world: members crash, links are cut, clocks drift, and what was begun ends once.

import { expect, it } from 'vitest'
import { createSimulation, drawPlan, type Simulation, startFaults, worldOf } from '../../src/testing.ts'
import { replicate } from '../../src/xstate.ts'
import { Judge } from './support/judge.ts'
import { type Doings, KINDS, type Kind } from './support/kinds.ts'

const KEYS = 8

export function replicaOf({ machine, durable, jobTimeoutMs }: Kind, doings: Doings) {
  return replicate(machine(doings), { maxIterations: 100, compareEvery: 10, durable, jobTimeoutMs })
}

/** Sends events to whoever leads, and tells the judge which were acknowledged. */
async function load(sim: Simulation, judge: Judge, { kind, count, everyMs, from = 0 }: Load): Promise<void> {
  for (let n = from; n < from + count; n += 1) {
    // No key gets every second event of the same kind for ever.
    const key = `i${(n + Math.floor(n / kind.events.length)) % KEYS}`
    const event = { type: kind.events[n % kind.events.length], n }
    void sim.propose(sim.leader() ?? 'A', ['event', key, event]).then((answer) => {
      if (answer.outcome === 'ok' && Object(answer.result).accepted === true) judge.acknowledged(key, n)
    })
    await sim.run(everyMs)
  }
}

interface Load {
  readonly kind: Kind
  readonly count: number
  readonly everyMs: number
  readonly from?: number
}

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
    await load(sim, judge, { kind, count: 120, everyMs: plan.safetyMs / 120 })
    faults.stop()
    await sim.run(20_000)
    sim.check()
    const { peers = [], witnesses = [] } = sim.node(sim.leader() ?? 'A').status()
    const { fired, ended } = judge.verdict(
      kind,
      peers.filter((id) => !witnesses.includes(id)),
    )
    expect(fired + ended).toBeGreaterThan(0)
    await sim.close()
  },
  60_000,
)
