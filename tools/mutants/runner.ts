// `npm run sim -- --mutants`: plants each bug in a copy of the sources, and looks whether an invariant or a test notices.

import { messageOf } from '../../src/runtime/errors.ts'
import { huntBySeeds } from './by-seeds.ts'
import { killTests, runTests } from './by-tests.ts'
import type { Mutant, TestMutant } from './mutant.ts'
import { findRoot, inCopy, removeCopies } from './plant.ts'
import { byFile, type Found, type MutantResult, reportAsText } from './report.ts'
import { type Area, DEFERRED, MUTANTS, MUTANTS_BY_AREA } from './table.ts'

export interface MutantsInput {
  /** Part of a name, or a number of 2.10. */
  readonly only?: string | undefined
  readonly areas?: readonly Area[] | undefined
  /** Part of the path of a source file. */
  readonly file?: string | undefined
  readonly json: boolean
  /** Most seeds per mutant. */
  readonly maxSeeds: number
  readonly say: (line: string) => void
}

const PROCESSES = 2

/** @returns the exit status: 1 when a bug was not noticed. */
export async function runMutants(input: MutantsInput): Promise<number> {
  const { say } = input
  const mutants = chosen(input)
  if (mutants.length === 0) throw new Error('No planted bug is like that.')
  const root = findRoot()
  const results: MutantResult[] = []
  process.once('SIGINT', leave)
  process.once('SIGTERM', leave)
  await checkSoundCode(root, mutants, say)
  const waiting = [...mutants]
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const result = await tryMutant(root, mutant, input)
      results.push(result)
      say(`${results.length}/${mutants.length} ${lineOf(result)}`)
    }
  }
  await Promise.all(Array.from({ length: PROCESSES }, work))
  const order = new Map(mutants.map(({ name }, i) => [name, i]))
  results.sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0))
  const { json } = input
  const document = { mutants: results, files: byFile(results), deferred: DEFERRED }
  console.log(json ? JSON.stringify(document) : reportAsText(results))
  return results.every(({ caughtBy }) => caughtBy !== null) ? 0 : 1
}

function lineOf({ name, caughtBy, seeds, seconds, message }: MutantResult): string {
  const after = `${seeds > 0 ? `after ${seeds} seeds, ` : ''}${seconds.toFixed(1)} s`
  return caughtBy === null ? `${name}: NOT CAUGHT ${after} ${message}` : `${name}: ${caughtBy}, ${after}`
}

function chosen({ only, areas, file }: MutantsInput): readonly Mutant[] {
  const ofAreas = areas === undefined ? MUTANTS : areas.flatMap((area) => [...MUTANTS_BY_AREA[area]])
  return ofAreas.filter(
    (mutant) =>
      (only === undefined || mutant.name.includes(only) || String(mutant.number) === only) &&
      (file === undefined || mutant.file.includes(file)),
  )
}

/** The hunts hear of it, too: they are of the same process group. */
function leave(signal: NodeJS.Signals): void {
  killTests()
  removeCopies()
  process.exit(signal === 'SIGINT' ? 130 : 143)
}

/** A test that fails in a copy of sound code would call every bug caught. */
async function checkSoundCode(
  root: string,
  mutants: readonly Mutant[],
  say: (line: string) => void,
): Promise<void> {
  const sets = new Map<string, TestMutant>()
  for (const mutant of mutants)
    if (mutant.tests !== undefined) sets.set(JSON.stringify([mutant.tests, mutant.testName]), mutant)
  if (sets.size === 0) return
  say(`${sets.size} sets of tests, first on sound code …`)
  await inCopy(root, null, async (directory) => {
    for (const mutant of sets.values()) {
      const { caughtBy, message } = await runTests(directory, mutant)
      if (caughtBy === null) continue
      const where = mutant.tests.join(', ')
      throw new Error(`${where}: "${caughtBy}" fails without any planted bug, too.\n${message}`)
    }
  })
}

/** What cannot be planted, built or tested has been caught by nothing, and says why. */
async function tryMutant(root: string, mutant: Mutant, { maxSeeds }: MutantsInput): Promise<MutantResult> {
  const startedAt = performance.now()
  const look = (directory: string): Promise<Found> =>
    mutant.tests === undefined ? huntBySeeds(directory, mutant, maxSeeds) : runTests(directory, mutant)
  const found = await inCopy(root, mutant, look).catch(
    (error: unknown): Found => ({ caughtBy: null, seeds: 0, otherwise: {}, message: messageOf(error) }),
  )
  const { name, number = null, file } = mutant
  return { name, number, file, ...found, seconds: (performance.now() - startedAt) / 1000 }
}
