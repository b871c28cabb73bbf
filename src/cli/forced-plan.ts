// What forcing the members of a group makes of it, before it is done: the sets, and what is given up.

import { judgeReset, type ResetSituation } from '../rules/disaster.ts'
import { members } from '../rules/quorum.ts'
import { CliError, ExitCode } from './exit.ts'
import { namesOf, type Plan } from './members/plan.ts'

/**
 * Null: the members are these already.
 * @throws CliError USAGE, in a sentence, for what cannot be.
 */
export function forcedPlan(
  situation: Omit<ResetSituation, 'changing' | 'installing'>,
  warnings: readonly string[],
): Plan | null {
  const verdict = judgeReset({ ...situation, changing: false, installing: false })
  if (verdict.kind === 'invalid') {
    const why = verdict.why.charAt(0).toUpperCase() + verdict.why.slice(1)
    throw new CliError(ExitCode.USAGE, `${why}.`)
  }
  if (verdict.kind !== 'force') return null
  const now = situation.configuration
  const lost = [...members(now), ...(now.learners ?? [])].filter((id) => !situation.peers.includes(id))
  return { now, target: verdict.configuration, warnings: [...warnings, ...givenUp([...new Set(lost)])] }
}

function givenUp(lost: readonly string[]): readonly string[] {
  if (lost.length === 0) return []
  const names = namesOf(lost)
  return [
    `What was acknowledged and only ${names} had is lost.`,
    `Never start ${names} again with the files of before: there would be two groups. Wipe them first.`,
  ]
}

export interface Meant {
  readonly force?: boolean
  /** The name of the group, typed once more. */
  readonly typed: string | undefined
  readonly group: string
  /** Under which the name is to be typed. */
  readonly flag: string
}

/** @throws CliError REFUSED unless it is meant, and meant for this group. */
export function refuseUnlessMeant({ force, typed, group, flag }: Meant): void {
  if (force === true && typed === group) return
  const wrong = typed === undefined || typed === group ? '' : `, and ${flag} says ${typed}`
  throw new CliError(ExitCode.REFUSED, `Nothing was changed: it needs --force and ${flag} ${group}${wrong}.`)
}
