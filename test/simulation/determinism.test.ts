import { describe, expect, it } from 'vitest'
import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import { drawSwarm, type Profile } from '../../src/simulation/campaign/swarm.ts'

const SEEDS: readonly (readonly [Profile, number])[] = [
  ...Array.from({ length: 10 }, (_, i) => ['swarm', i + 1] as const),
  // Several groups in each process.
  ...[1, 2, 3].map((seed) => ['groups', seed] as const),
]

// INV-25: nothing of a run may come from anywhere but its seed, its options and the code.
describe('the same seed', () => {
  it.each(SEEDS)(
    'of %s, %i, gives the same trace, byte for byte',
    async (profile, seed) => {
      const run = async () => {
        const plan = drawSwarm({ seed, profile, safetyTimeouts: 12 })
        const { traceHash, traceLines, events } = await runPlan(plan, { liveness: false })
        return { traceHash, traceLines, events }
      }
      const first = await run()
      expect(first.traceLines).toBeGreaterThan(0)
      expect(await run()).toEqual(first)
    },
    60_000,
  )
})
