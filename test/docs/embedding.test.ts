// The examples of docs/embedding.md, run as they are shown there.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { cleanInTurns, Yard } from '../../examples/leader-job.ts'
import { serve } from '../../examples/node-in-a-machine.ts'
import { read } from './support.ts'

async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-embedding-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('a machine that holds a node adds, and leaves', async () => {
  expect(await serve(await scratch())).toEqual({ total: 42, leader: 'n1' })
})

test('two members clean one after the other, and an old token is turned away', async () => {
  const yard = new Yard()
  expect(await cleanInTurns(yard, await scratch())).toMatch(/^n\d comes late: another one cleans here\.$/)
  const turns = yard.cleaned.filter((by, at) => by !== yard.cleaned[at - 1])
  expect(turns.length).toBeGreaterThan(1)
})

test.each(['leader-job', 'node-in-a-machine'])('examples/%s.ts is shown on the page as it is', (name) => {
  expect(read('docs/embedding.md')).toContain(`\`\`\`ts\n${read(`examples/${name}.ts`)}\`\`\``)
})
