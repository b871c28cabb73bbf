import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { count } from '../../examples/embed.ts'

test('the embedding example counts, and goes on where it stopped', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-embed-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  expect(await count(directory, 40)).toBe(40)
  expect(await count(directory, 2)).toBe(42)
})
