// No check may depend on when it is asked: all of them after every step, or each where it is due and the rest at the
// end, must come to the same verdict on the same run.

import { describe, expect, it } from 'vitest'
import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import { startFaults, worldOf } from '../../src/simulation/campaign/random-faults.ts'
import { drawSwarm, PROFILES, type SwarmPlan } from '../../src/simulation/campaign/swarm.ts'
import { Simulation } from '../../src/simulation/simulation.ts'

/** Every member is looked at, whether the step touched it or not; histories and whole logs now and then. */
function askEverything(sim: Simulation): void {
  for (const member of sim.members.values()) if (member.life > 0) sim.checker?.observe(member.observation())
  const { executed } = sim.scheduler
  if (executed % 16 === 0) sim.checker?.checkAll()
  if (executed % 256 === 0) sim.check()
}

describe('the verdict on a run', () => {
  it.each(PROFILES)(
    'of profile %s is the same whether everything is asked at once or at the end',
    async (profile) => {
      for (let seed = 1; seed <= (profile === 'swarm' ? 2 : 1); seed++) {
        const plan = drawSwarm({ seed, profile, nodes: 3, safetyTimeouts: 12 })
        const late = await runPlan(plan)
        const early = await runPlan(plan, { afterStep: askEverything })
        expect([early.failure, early.traceHash]).toEqual([late.failure, late.traceHash])
      }
    },
    60_000,
  )

  // Takes ten seconds of a processor, and twice that on one that is busy.
  it('is the same with machines that throw', { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const plan = drawSwarm({ seed, nodes: 3, profile: 'network', tuning: { maxPendingProposals: 1000 } })
      const late = await runOfThrowingMachines(plan, null)
      const early = await runOfThrowingMachines(plan, askEverything)
      expect(late.failure).toBe('none')
      expect(early).toEqual(late)
      expect(early.failed).toBeGreaterThan(0)
    }
  })

  it('has nothing against a command that was done in the turn in which the next one stopped its member', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const sim = new Simulation({
        seed,
        nodes: ['A', 'B', 'C'],
        machineErrors: 'allow',
        stateMachine: () => new ThrowingMachine(),
      })
      await sim.until(() => sim.leader() !== null)
      await sim.run(1000)
      const leader = sim.leader() ?? ''
      const disk = sim.disk(leader).holdSync('log')
      const answers = [sim.propose(leader, 1), sim.propose(leader, 'bad')]
      await sim.run(20)
      disk.release()
      expect(await Promise.all(answers)).toMatchObject([{ outcome: 'ok', result: 1 }, { outcome: 'unknown' }])
      expect(sim.node(leader).status().role).toBe('error')
      sim.check()
      await sim.run(1000)
      sim.check()
    }
  })
})

class ThrowingMachine {
  #sum = 0
  apply(command: unknown): number {
    if (typeof command !== 'number') throw new Error('not a number')
    this.#sum += command
    return this.#sum
  }
  stateHash(): string {
    return String(this.#sum)
  }
}

interface Verdict {
  readonly failure: string
  readonly traceHash: string
  /** Members that stopped themselves. */
  readonly failed: number
}

/** Everybody asks the leader for many commands at once; the last of all is one that no machine survives. */
async function runOfThrowingMachines(
  plan: SwarmPlan,
  afterStep: ((sim: Simulation) => void) | null,
): Promise<Verdict> {
  const sim = new Simulation({
    ...worldOf(plan),
    machineErrors: 'allow',
    stateMachine: () => new ThrowingMachine(),
  })
  if (afterStep !== null) sim.afterStep = () => afterStep(sim)
  const verdict = (failure: string): Verdict => ({
    failure,
    traceHash: sim.traceHash,
    failed: sim.nodes.filter((id) => sim.node(id).status().role === 'error').length,
  })
  try {
    const faults = startFaults(sim, plan)
    for (let round = 0; round < 20; round++) {
      await sim.run(plan.tuning.electionTimeoutMs)
      const leader = sim.leader()
      if (leader !== null) for (let n = 1; n <= 5; n++) void sim.propose(leader, n)
    }
    faults.stop()
    await sim.until(() => sim.leader() !== null)
    await sim.run(5 * plan.tuning.electionTimeoutMs)
    const last = sim.leader() ?? 'A'
    for (let n = 1; n <= 5; n++) void sim.propose(last, n)
    void sim.propose(last, 'bad')
    await sim.run(20 * plan.tuning.electionTimeoutMs)
    sim.check()
    return verdict('none')
  } catch (error) {
    return verdict(error instanceof Error ? error.message : String(error))
  }
}
