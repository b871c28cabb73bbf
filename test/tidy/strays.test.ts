// What users leave in a clone when they try the commands of the README is theirs: `npm test` finds no fault with it.

import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { ROOT } from './support/sources.ts'

const UGLY = 'var   order = {"group":"demo"};;\n'

/** What the linter says about these files, when they stand beside our settings. */
async function faultsIn(files: readonly string[]): Promise<string> {
  const clone = mkdtempSync(join(tmpdir(), 'quorate-clone-'))
  onTestFinished(() => rmSync(clone, { recursive: true, force: true }))
  copyFileSync(join(ROOT, 'biome.json'), join(clone, 'biome.json'))
  for (const file of files) {
    mkdirSync(join(clone, file, '..'), { recursive: true })
    writeFileSync(join(clone, file), UGLY)
  }
  const biome = join(ROOT, 'node_modules/.bin/biome')
  const run = promisify(execFile)(biome, ['check', '--vcs-enabled=false', '.'], { cwd: clone })
  return run.then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  )
}

it('does not lint the files of a member, nor a machine of the user', async () => {
  expect(await faultsIn(['n1/served-group.json', 'data/n1/served-group.json', 'order-machine.js'])).toBe('')
})

it('lints ours', async () => {
  expect(await faultsIn(['src/order.ts'])).toContain('src/order.ts')
})
