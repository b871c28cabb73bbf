// The planted bugs themselves: `npm run sim -- --mutants` runs them all, which takes minutes. Here: that each can still be
// planted, that the ways from planting to catching work, and that their scripts find nothing in the sound code.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runScenario, SCENARIO_NAMES } from '../../tools/mutants/scenarios.ts'
import { DEFERRED, MUTANTS } from '../../tools/mutants/table.ts'
import { sourcesIn } from '../tidy/support/sources.ts'

const CLI = 'dist/tools/sim/main.js'
const report = z.object({
  mutants: z.array(z.object({ name: z.string(), caughtBy: z.string().nullable(), seeds: z.number() })),
  files: z.array(z.object({ file: z.string(), planted: z.number(), caught: z.number() })),
})

function runMutants(...flags: string[]): { status: number | null; report: z.infer<typeof report> } {
  expect(existsSync(CLI), 'run `npm run build` first').toBe(true)
  const args = [CLI, '--mutants', '--json', ...flags]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stdout, stderr).not.toBe('')
  return { status, report: report.parse(JSON.parse(stdout)) }
}

/** Every file here has this many planted bugs at least. */
const FEWEST: Readonly<Record<string, number>> = {
  'storage/sqlite/': 3,
  'services/': 3,
  'client/': 3,
  'host/': 3,
  'transport/memory/': 2,
  'transport/nats/': 2,
  'transport/wire/messages/': 2,
}

describe('planted bugs', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s: there is a place for it',
    (_, mutant) => {
      for (const { file, find, replace } of [mutant, ...(mutant.also ?? [])]) {
        const source = readFileSync(`src/${file}`, 'utf8')
        expect(source.split(find)).toHaveLength(2)
        expect(replace).not.toBe(find)
      }
    },
  )

  it('are the sixteen classic ones, and more than as many again', () => {
    const numbers = new Set([...MUTANTS, ...DEFERRED].map(({ number }) => number))
    for (let number = 1; number <= 16; number++) expect(numbers).toContain(number)
    expect(MUTANTS.filter(({ number }) => number === undefined).length).toBeGreaterThanOrEqual(15)
  })

  it('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  })

  it('that tests have to notice name files of tests', () => {
    const files = MUTANTS.flatMap((mutant) => mutant.tests ?? [])
    expect(files.filter((file) => !existsSync(file) || !file.endsWith('.test.ts'))).toEqual([])
  })

  it.each(Object.entries(FEWEST))('are in every file of %s: %i', (folder, fewest) => {
    // A file of types alone does nothing that could be wrong.
    const doing = sourcesIn(`src/${folder}`).filter(({ code }) => /\b(function|class|const|let)\b/.test(code))
    const files = doing.map(({ path }) => path.slice('src/'.length))
    const planted = (file: string): number => MUTANTS.filter((mutant) => mutant.file === file).length
    expect(files.length).toBeGreaterThan(0)
    expect(files.filter((file) => planted(file) < fewest)).toEqual([])
  })

  it('are planted in a copy, and caught by seeds', { timeout: 60_000 }, () => {
    const { status, report } = runMutants('--only', 'vote answered before', '--max-seeds', '20')
    expect(report.mutants).toMatchObject([{ caughtBy: 'INV-2' }])
    expect(report.files).toEqual([{ file: 'actors/node/node.election.ts', planted: 1, caught: 1 }])
    expect(status).toBe(0)
  })

  it('are planted in a copy, and caught by tests', { timeout: 60_000 }, () => {
    const { status, report } = runMutants('--area', 'log', '--file', 'term-runs')
    expect(report.mutants).toMatchObject([
      { caughtBy: 'terms as runs answer 0 before the first run and the newest term after the last one' },
    ])
    expect(status).toBe(0)
  })

  // Some play dozens of groups: seconds of the processor, and many times that on one that is busy with other things.
  it.each(SCENARIO_NAMES)('the script %s finds nothing in sound code', { timeout: 60_000 }, async (name) => {
    for (let seed = 1; seed <= 3; seed++) await expect(runScenario(name, seed)).resolves.toBeUndefined()
  })
})
