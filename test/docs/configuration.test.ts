import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { configurationPage } from '../../scripts/generate-configuration.ts'
import { tuningSchema } from '../../src/options.ts'

test('docs/configuration.md is what the schema says: run `npm run docs` when it is not', async () => {
  const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  expect(page).toBe(configurationPage())
})

test('the page names every option', () => {
  for (const name of Object.keys(tuningSchema.shape)) expect(configurationPage()).toContain(`| \`${name}\` |`)
})
