// What the code under test says on the console fails its test: a warning of XState or Node, a forgotten line. A test that
// wants something to be said says so with `expectConsole`. Set up for every test file by vitest.config.ts.

import { format } from 'node:util'
import { afterAll, afterEach, expect } from 'vitest'

const METHODS = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const

/**
 * XState's development build, which tests get, takes an actor that is run by another one's action for an action that
 * calls `assign`: false alarm, whenever a replicator tells its node something. Programs get the other build.
 */
const FALSE_ALARM = /^console\.warn: Custom actions should not call `(emit|assign|raise)\(\)` directly/

const said: string[] = []
let expected: RegExp[] = []

for (const method of METHODS)
  console[method] = (...words: unknown[]): void => void said.push(`console.${method}: ${format(...words)}`)
for (const name of ['stdout', 'stderr'] as const)
  process[name].write = (chunk: unknown): boolean => {
    said.push(`process.${name}: ${String(chunk)}`)
    return true
  }
process.on('warning', (warning) => said.push(`warning: ${String(warning)}`))

/** For the rest of this test, or of what runs around it: lines that `pattern` fits are no surprise. */
export function expectConsole(pattern: RegExp): void {
  expected.push(pattern)
}

function judge(): void {
  const surprises = said
    .splice(0)
    .filter((line) => ![FALSE_ALARM, ...expected].some((pattern) => pattern.test(line)))
  expected = []
  expect(surprises, 'said on the console, and not expected').toEqual([])
}

afterEach(judge)
afterAll(judge)
