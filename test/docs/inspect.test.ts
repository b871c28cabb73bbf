import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { watchStart } from '../../examples/inspect.ts'
import { read } from './support.ts'

test('the watching example sees a member come to lead, in both ways', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-inspect-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const { roles, states, page } = await watchStart(directory)
  expect(states.some((state) => state.includes('"leader"'))).toBe(true)
  for (const role of roles) expect(role).toMatch(/^\w+ → \w+: [A-Z_]+$/)
  expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//)
})

test('docs/watching.md shows it as it is', () => {
  expect(read('docs/watching.md')).toContain(`\`\`\`ts\n${read('examples/inspect.ts')}\`\`\``)
})
