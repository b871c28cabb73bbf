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

const SCENARIOS = { lostMeta } as const
export type ScenarioName = keyof typeof SCENARIOS

export function runScenario(name: ScenarioName, seed: number): Promise<void> {
  return SCENARIOS[name](seed)
}
