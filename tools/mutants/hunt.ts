// Runs in a process of its own, in a copy with one planted bug: seeds until something notices.
// Arguments: hint as JSON, first seed, last seed, step. One JSON line per failing seed, and one at the end.

import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import { drawSwarm } from '../../src/simulation/campaign/swarm.ts'
import { InvariantViolation } from '../../src/simulation/invariants/invariants.ts'
import type { Hint } from './mutant.ts'
import { runScenario } from './scenarios.ts'

const [hintText = '{}', first = '1', last = '2000', step = '1', expected = ''] = process.argv.slice(2)
const hint = JSON.parse(hintText) as Hint
const wanted = expected.split(',')

interface Finding {
  readonly invariant: string
  readonly message: string
}

async function tryScenario(name: NonNullable<Hint['scenario']>, seed: number): Promise<Finding | null> {
  try {
    await runScenario(name, seed)
    return null
  } catch (error) {
    const invariant = error instanceof InvariantViolation ? error.invariant : 'ERROR'
    return { invariant, message: error instanceof Error ? error.message : String(error) }
  }
}

async function tryPlan(seed: number): Promise<Finding | null> {
  const { scenario: _, safetyTimeouts = 40, ...input } = hint
  const plan = drawSwarm({ seed, safetyTimeouts, ...input })
  const { failure } = await runPlan(plan)
  return failure
}

for (let seed = Number(first); seed <= Number(last); seed += Number(step)) {
  const { scenario } = hint
  const finding = scenario === undefined ? await tryPlan(seed) : await tryScenario(scenario, seed)
  const { invariant = null, message = '' } = finding ?? {}
  process.stdout.write(`${JSON.stringify({ seed, invariant, message: message.slice(0, 400) })}\n`)
  if (invariant !== null && wanted.includes(invariant)) break
}
