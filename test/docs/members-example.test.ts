import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { read } from './support.ts'

test('examples/members.ts adds, promotes, transfers and removes, in one command', { timeout: 60_000 }, () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['dist/examples/members.js'], {
    encoding: 'utf8',
  })
  expect(stdout.trimEnd().split('\n'), stderr).toEqual([
    'alone: voters n1; learners none',
    'added: voters n1, n2; learners n3',
    'promoted: voters n1, n2, n3; learners none',
    'removed: voters n2, n3; learners none',
    'n3 has: written when there was one; written when n2 led',
  ])
  expect(status).toBe(0)
})

test('is named in docs/operations.md', () =>
  expect(read('docs/operations.md')).toContain('(../examples/members.ts)'))
