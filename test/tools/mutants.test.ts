// The planted bugs themselves: `npm run sim -- --mutants` runs them all, which takes minutes. Here: that each can still be
// planted, that the way from planting to catching works, and that their scripts find nothing in the sound code.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runScenario, SCENARIO_NAMES } from '../../tools/mutants/scenarios.ts'
import { DEFERRED, MUTANTS } from '../../tools/mutants/table.ts'

const CLI = 'dist/tools/sim/main.js'
const report = z.object({
  mutants: z.array(z.object({ name: z.string(), caughtBy: z.string().nullable(), seeds: z.number() })),
})

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

  it('are those of acceptance-scenarios.md 2.10, and more than as many again', () => {
    const numbers = new Set([...MUTANTS, ...DEFERRED].map(({ number }) => number))
    for (let number = 1; number <= 16; number++) expect(numbers).toContain(number)
    expect(MUTANTS.filter(({ number }) => number === null).length).toBeGreaterThanOrEqual(15)
  })

  it('are planted in a copy, and caught', { timeout: 60_000 }, () => {
    expect(existsSync(CLI), 'run `npm run build` first').toBe(true)
    const args = [CLI, '--mutants', '--only', 'vote answered before', '--json', '--max-seeds', '20']
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(report.parse(JSON.parse(stdout)).mutants).toMatchObject([{ caughtBy: 'INV-2' }])
    expect(status).toBe(0)
  })

  it.each(SCENARIO_NAMES)('the script %s finds nothing in sound code', async (name) => {
    for (let seed = 1; seed <= 3; seed++) await expect(runScenario(name, seed)).resolves.toBeUndefined()
  })
})
