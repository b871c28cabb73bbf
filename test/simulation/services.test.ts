// The real client and the real services in the simulated world: what clients see stays linearizable, whatever happens to
// members, messages and the clients themselves, and in calm everybody is served.

import { describe, expect, it } from 'vitest'
import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import { drawSwarm } from '../../src/simulation/campaign/swarm.ts'
import { createSimulation } from '../../src/simulation/simulation.ts'

const LEADER = 'quorate.sim.leader.propose'

describe('real clients over the services', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keep every invariant (seed %i)', async (seed) => {
    const result = await runPlan(drawSwarm({ seed, via: 'bus', safetyTimeouts: 30 }))
    expect(result.failure).toBeNull()
    expect(result.operations).toBeGreaterThan(20)
  })

  it('are drawn for a share of the seeds, and the rest of the plan stays what it was', () => {
    const seeds = Array.from({ length: 200 }, (_, seed) => seed)
    const onBus = seeds.filter((seed) => drawSwarm({ seed }).clients.via === 'bus')
    expect(onBus.length).toBeGreaterThan(30)
    expect(onBus.length).toBeLessThan(70)
    const { clients, ...rest } = drawSwarm({ seed: 1, via: 'bus' })
    const { clients: calls, ...same } = drawSwarm({ seed: 1, via: 'calls' })
    expect([rest, { ...clients, via: null }]).toEqual([same, { ...calls, via: null }])
  })
})

describe('who listens as the leader', () => {
  it('is the leader alone, and a former one a moment longer', async () => {
    const sim = await createSimulation({ seed: 7, nodes: ['A', 'B', 'C'], services: true })
    await sim.until(() => sim.leader() !== null)
    const first = sim.leader() ?? ''
    expect(sim.bus.listeners(LEADER)).toEqual([first])
    sim.isolate(first)
    await sim.until(() => sim.node(first).status().role !== 'leader')
    expect(sim.bus.listeners(LEADER)).toContain(first)
    await sim.run(99)
    expect(sim.bus.listeners(LEADER)).toContain(first)
    await sim.run(2)
    expect(sim.bus.listeners(LEADER)).not.toContain(first)
    sim.heal()
    await sim.until(() => sim.leader() !== null && sim.leader() !== first)
    expect(sim.bus.listeners(LEADER)).toEqual([sim.leader()])
    await sim.run(5000)
    sim.check()
    await sim.close()
    expect(sim.bus.listeners(LEADER)).toEqual([])
  })
})
