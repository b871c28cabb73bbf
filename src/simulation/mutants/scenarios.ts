// Scripted runs for bugs that no drawn fault reaches. Each throws InvariantViolation when the bug is there.

import { Simulation } from '../simulation.ts'

const OPTIONS = { electionTimeoutMs: 300, maxClockDriftMs: 100 } as const
const NODES = ['A', 'B', 'C'] as const

/** A member loses its record of term and vote, but not its log: it must not vote again in its last term (ND-13). */
async function lostMeta(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: NODES, options: OPTIONS })
  await sim.until(() => sim.leader() !== null)
  const client = sim.client()
  client.start({ op: 'put', key: 'k', value: 'v' }, 'readIndex', () => {})
  await sim.run(1000)
  const follower = NODES.find((id) => id !== sim.leader() && sim.durable(id).votedFor !== null)
  if (follower === undefined) return
  sim.powerLoss(follower)
  sim.loseMeta(follower)
  sim.restart(follower)
  await sim.run(3000)
  sim.check()
}

async function lead(sim: Simulation, id: string): Promise<void> {
  const others = sim.hold({ kind: 'prevote', from: sim.nodes.filter((node) => node !== id) })
  await sim.until(() => sim.leader() === id)
  others.drop()
  others.end()
}

/**
 * A leader and one follower have a long tail that nobody else has, and lose it to another leader. What the follower
 * said then counts for nothing when the first one leads again, over a shorter log.
 */
async function secondLeadership(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: ['A', 'B', 'C', 'D', 'E'], options: OPTIONS })
  await lead(sim, 'A')
  await sim.run(1000)
  for (const one of ['A', 'B']) for (const other of ['C', 'D', 'E']) sim.cut(one, other)
  for (let i = 0; i < 20; i++) void sim.propose('A', ['put', 'k', String(i)])
  await sim.until(() => !['A', null].includes(sim.leader()))
  sim.heal()
  const lasts = (): Set<number> => new Set(sim.nodes.map((id) => sim.node(id).status().lastIndex))
  await sim.until(() => lasts().size === 1 && sim.leader() !== null)
  await sim.run(1000)
  const successor = sim.leader()
  if (successor === null || successor === 'A') return
  sim.isolate(successor)
  const silent = ['C', 'D', 'E'].find((id) => id !== successor) ?? ''
  const appends = [sim.hold({ kind: 'append', to: 'B' }), sim.hold({ kind: 'append', to: silent })]
  await lead(sim, 'A')
  await sim.run(1000)
  for (const hold of appends) hold.end()
  sim.check()
}

const SCENARIOS = { lostMeta, secondLeadership } as const
export type ScenarioName = keyof typeof SCENARIOS

export function runScenario(name: ScenarioName, seed: number): Promise<void> {
  return SCENARIOS[name](seed)
}
