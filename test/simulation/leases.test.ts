// Leases of leaders that are new, that are moved about, and that are never two at a time (INV-15): LS-08, LS-09.

import { describe, expect, it } from 'vitest'
import { randomInt } from '../../src/runtime/random.ts'
import { createSimulation, type Simulation } from '../../src/simulation/simulation.ts'
import { chance, pick, streamOf } from '../../src/simulation/time/sim-random.ts'

const LEASES = { leaderLease: true, electionTimeoutMs: 500, maxClockDriftMs: 10, electionHeartbeatFactor: 3 }
const SIZES = [
  [3, ['A', 'B', 'C']],
  [5, ['A', 'B', 'C', 'D', 'E']],
] as const

async function led(sim: Simulation): Promise<string> {
  await sim.until(() => sim.leader() !== null)
  return sim.leader() ?? ''
}

describe.each(SIZES)('with leases and %i members', (_, nodes) => {
  it('a new leader has none before its machine has everything, and one then (LS-08)', async () => {
    const slow = { delay: { shape: 'constant', ms: 300 } } as const
    const sim = await createSimulation({ seed: 1, nodes, options: LEASES, machinePace: slow })
    const old = await led(sim)
    const next = nodes.find((id) => id !== old) ?? ''
    const status = () => sim.node(next).status()
    await sim.until(() => sim.node(old).status().leaseValid)
    const proposed = ['x', 'y', 'z'].map((key) => sim.propose(old, ['put', key, key]))
    await sim.until(() => status().lastIndex === sim.node(old).status().commitIndex && status().lastIndex > 3)
    const moved = sim.transfer(old, next)
    await sim.until(() => status().role === 'leader' && status().commitIndex === status().lastIndex)
    const firstIndex = status().lastIndex
    let looks = 0
    for (; status().appliedIndex < firstIndex; looks++) {
      expect([status().role, status().leaseValid]).toEqual(['leader', false])
      expect(await sim.query(next, ['get', 'x'], 'lease')).toMatchObject({ outcome: 'failed' })
      await sim.run(10)
    }
    expect(looks).toBeGreaterThan(20)
    await sim.run(100)
    expect(status().leaseValid).toBe(true)
    expect(await moved).toMatchObject({ outcome: 'ok', leader: next })
    expect(await sim.query(next, ['get', 'z'], 'lease')).toMatchObject({ outcome: 'ok', answer: 'z' })
    await sim.settled(Promise.all(proposed))
    sim.check()
    await sim.close()
  })

  it.each([1, 2, 3])(
    'whatever is done to leaders, two never hold one at a time (LS-09, seed %i)',
    async (seed) => {
      const sim = await createSimulation({ seed, nodes, options: LEASES })
      const random = streamOf(seed, 'chaos')
      await led(sim)
      await sim.run(100)
      let withLease = 0
      for (let i = 0; i < 100; i++) {
        disturb(sim, random, nodes.length === 3 ? 1 : 2)
        await sim.run(20)
        withLease += nodes.filter((id) => sim.node(id).alive && sim.node(id).status().leaseValid).length
      }
      for (const id of nodes) sim.restart(id)
      await led(sim)
      // There was something to be two of.
      expect(withLease).toBeGreaterThan(10)
      sim.check()
      await sim.close()
    },
  )
})

/** Starts one, stops one, moves leadership, asks for an election, or sets a timeout anew. */
function disturb(sim: Simulation, random: ReturnType<typeof streamOf>, mostDown: number): void {
  const node = pick(random, sim.nodes)
  const down = sim.nodes.filter((id) => !sim.node(id).alive)
  switch (pick(random, ['start', 'stop', 'transfer', 'vote', 'timeout'] as const)) {
    case 'start':
      return down.length > 0 ? sim.restart(pick(random, down)) : undefined
    case 'stop':
      return down.length < mostDown ? sim.crash(node) : undefined
    case 'transfer':
      return sim.askForTransfer(sim.leader() ?? node, chance(random, 0.2) ? null : node, () => {})
    case 'vote':
      return sim.askForVote(node, 50)
    case 'timeout':
      return sim.resetElectionTimeout(node, { electionTimeoutMs: randomInt(random, 50, 500) })
  }
}
