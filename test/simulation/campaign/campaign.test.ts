import { describe, expect, it } from 'vitest'
import { runPlan } from '../../../src/simulation/campaign/campaign.ts'
import { replayCommand, reportOf } from '../../../src/simulation/campaign/failure-report.ts'
import { drawSwarm, PROFILES, type Profile } from '../../../src/simulation/campaign/swarm.ts'

/** Length of the safety phase, short enough for forty seeds in two minutes. */
const TIMEOUTS = 30
const SEED_TIMEOUT_MS = 60_000

const FIXED = Array.from({ length: 9 }, (_, i) => i + 1)
// Other ones with every run: what they find is replayed by the command in the message.
const base = Math.floor(Date.now() / 1000) % 1_000_000_000
const FRESH = Array.from({ length: 10 }, (_, i) => base + i)

async function holds(seed: number, profile: Profile = 'swarm'): Promise<void> {
  const plan = drawSwarm({ seed, safetyTimeouts: TIMEOUTS, profile })
  const result = await runPlan(plan)
  expect.soft(reportOf(plan, result, replayCommand(plan, { timeouts: TIMEOUTS }))).toBeNull()
  expect(result.gaveUp).toBe(false)
}

describe('every invariant holds, and a calm core comes to rest', () => {
  it.each(FIXED)('in seed %i', (seed) => holds(seed), SEED_TIMEOUT_MS)
  it.each(FRESH)('in fresh seed %i', (seed) => holds(seed), SEED_TIMEOUT_MS)
  // In unsurvivable 5 the only member is wiped, and writes another history in the same term.
  describe.each(PROFILES.slice(1))('of profile %s', (profile) => {
    it.each([1, 5])('in seed %i', (seed) => holds(seed, profile), SEED_TIMEOUT_MS)
  })
})
