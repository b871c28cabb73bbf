// What a person needs when a seed fails: what broke, how to see it again, and what happened just before.

import { isInvariantName, PROMISES } from '../invariants/promises.ts'
import type { SeedResult } from './campaign.ts'
import type { SwarmPlan } from './swarm.ts'

/** The command that runs the same plan again. `asked` is what the plan was drawn with besides the seed. */
export function replayCommand(
  { seed, profile }: SwarmPlan,
  asked: { readonly nodes?: number; readonly minutes?: number; readonly timeouts?: number } = {},
): string {
  const flags = Object.entries(asked).flatMap(([name, value]) =>
    value === undefined ? [] : [` --${name} ${value}`],
  )
  return `npm run sim -- --seed ${seed}${profile === 'swarm' ? '' : ` --profile ${profile}`}${flags.join('')}`
}

/** Null when the seed held every invariant. */
export function reportOf(
  plan: SwarmPlan,
  { seed, failure }: SeedResult,
  replay: string,
  commit?: string,
): string | null {
  if (failure === null) return null
  const { nodes, tuning } = plan
  return [
    `seed ${seed}: ${failure.invariant}`,
    `  ${failure.message}`,
    ...(isInvariantName(failure.invariant) ? [`  It must hold: ${PROMISES[failure.invariant]}`] : []),
    `  ${commit === undefined ? '' : `commit ${commit}; `}${nodes.length} members; options ${JSON.stringify(tuning)}`,
    `  replay: ${replay}`,
    '',
    `The last ${failure.trace.length} lines of its trace:`,
    ...failure.trace,
  ].join('\n')
}
