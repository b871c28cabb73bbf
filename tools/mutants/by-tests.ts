// Lets tests look at a planted bug: vitest in the copy, until the first test fails.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { TestMutant } from './mutant.ts'
import type { Found } from './report.ts'

/** Tests that take longer have noticed: something waits for ever. */
const TIMEOUT_MS = 180_000

const report = z.object({
  numTotalTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
})

type Tests = Pick<TestMutant, 'tests' | 'testName'>

/** @throws Error when the tests cannot be run at all: then nothing has been noticed, and nothing missed. */
export async function runTests(directory: string, { tests, testName }: Tests): Promise<Found> {
  for (const test of tests) if (!existsSync(join(directory, test))) throw new Error(`There is no ${test}.`)
  const out = join(directory, 'report.json')
  const own = join(directory, 'own-tmp')
  mkdirSync(own, { recursive: true })
  // Twice, so that no test which failed for want of time calls a bug caught.
  const args = ['run', '--retry=1', '--bail=1', '--reporter=json', `--outputFile=${out}`, ...tests]
  if (testName !== undefined) args.push('--testNamePattern', testName)
  const { status, output } = await runVitest(directory, args, own)
  const none = { seeds: 0, otherwise: {}, message: '' }
  if (status === null) return { ...none, caughtBy: `no end within ${TIMEOUT_MS / 1000} s` }
  if (!existsSync(out)) throw new Error(`vitest ended without a report:\n${output}`)
  const { numTotalTests, testResults } = report.parse(JSON.parse(readFileSync(out, 'utf8')))
  for (const { assertionResults } of testResults) {
    const failed = assertionResults.find((test) => test.status === 'failed')
    if (failed === undefined) continue
    return { ...none, caughtBy: failed.fullName, message: failed.failureMessages.join('\n').slice(0, 400) }
  }
  const broken = testResults.find((file) => file.status === 'failed')
  if (broken !== undefined) throw new Error(`${broken.name} does not load: ${broken.message ?? ''}`)
  const ran = testResults.flatMap((file) => file.assertionResults).filter((test) => test.status === 'passed')
  if (numTotalTests === 0 || ran.length === 0)
    throw new Error(`No test of ${tests.join(', ')} is called anything like "${testName ?? ''}".`)
  if (status !== 0)
    return { ...none, caughtBy: 'an error outside of every test', message: output.slice(-400) }
  return { ...none, caughtBy: null }
}

/** Process groups of running tests: with them go the servers and members that they have started. */
const groups = new Set<number>()

export function killTests(): void {
  for (const group of groups) killGroup(group)
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

interface Ended {
  /** Null: it took too long. */
  readonly status: number | null
  readonly output: string
}

function runVitest(directory: string, args: readonly string[], tmp: string): Promise<Ended> {
  const vitest = join(directory, 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd: directory,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: tmp },
  })
  const { pid } = child
  if (pid !== undefined) groups.add(pid)
  let output = ''
  const note = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4000)
  }
  child.stdout.on('data', note)
  child.stderr.on('data', note)
  return new Promise((resolve, reject) => {
    let isLate = false
    const patience = setTimeout(() => {
      isLate = true
      if (pid !== undefined) killGroup(pid)
    }, TIMEOUT_MS)
    child.once('error', reject)
    child.once('close', (status) => {
      clearTimeout(patience)
      if (pid !== undefined) groups.delete(pid)
      resolve({ status: isLate ? null : (status ?? 1), output })
    })
  })
}
