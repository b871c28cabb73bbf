// Runs vitest as a person would see it, and ends with one line that says how it went, counted from vitest's own report.
// Arguments go to vitest: `npm test -- test/rules`. `--rewrite` writes the expected output of scenario scripts again.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const vitest = require.resolve('vitest/package.json').replace(/package\.json$/, 'vitest.mjs')
const directory = mkdtempSync(join(tmpdir(), 'quorate-test-'))
const reportFile = join(directory, 'report.json')
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]

const given = process.argv.slice(2)
const isRewrite = given.includes('--rewrite')
const forVitest = given.filter((argument) => argument !== '--rewrite')
const { status } = spawnSync(process.execPath, [vitest, 'run', ...reporters, ...forVitest], {
  stdio: 'inherit',
  env: { ...process.env, ...(isRewrite ? { REWRITE: '1' } : {}) },
})
const counts = readCounts()
rmSync(directory, { recursive: true, force: true })

if (counts === undefined) console.log('vitest ended without a report.')
else {
  if (counts.skipped > 0) console.log(`${counts.skipped} skipped`)
  console.log(`${counts.passed} passed, ${counts.failed} failed`)
}
const isGood = status === 0 && counts !== undefined && counts.passed > 0 && counts.failed === 0
process.exitCode = isGood ? 0 : status || 1

/** A file that could not be loaded has no tests and counts as one that failed. */
function readCounts() {
  try {
    const report = JSON.parse(readFileSync(reportFile, 'utf8'))
    const broken = report.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    )
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + broken.length,
      skipped: report.numPendingTests + report.numTodoTests,
    }
  } catch {
    return undefined
  }
}
