import { describe, expect, it } from 'vitest'
import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import { drawSwarm } from '../../src/simulation/campaign/swarm.ts'

// INV-25: nothing of a run may come from anywhere but its seed, its options and the code.
describe('the same seed', () => {
  it.each(Array.from({ length: 30 }, (_, i) => i + 1))(
    '%i gives the same trace, byte for byte',
    async (seed) => {
      const run = async () => {
        const { traceHash, traceLines, events } = await runPlan(drawSwarm({ seed, safetyTimeouts: 12 }), {
          liveness: false,
        })
        return { traceHash, traceLines, events }
      }
      const first = await run()
      expect(first.traceLines).toBeGreaterThan(0)
      expect(await run()).toEqual(first)
    },
    30_000,
  )
})
