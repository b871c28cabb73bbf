// What nobody imports is not exported, and what only tests import is no part of the product: knip looks, knip.json says
// where programs begin.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const namesSchema = z.array(z.object({ name: z.string(), line: z.number().optional() })).default([])
const reportSchema = z.object({
  issues: z.array(
    z.object({
      file: z.string(),
      files: namesSchema,
      dependencies: namesSchema,
      devDependencies: namesSchema,
      unlisted: namesSchema,
      unresolved: namesSchema,
      exports: namesSchema,
      types: namesSchema,
      duplicates: z.array(namesSchema).default([]),
    }),
  ),
})

/** One line for each thing that knip finds. */
function findings(...args: readonly string[]): readonly string[] {
  const knip = join(ROOT, 'node_modules', 'knip', 'bin', 'knip.js')
  const { stdout, stderr } = spawnSync(process.execPath, [knip, '--reporter', 'json', ...args], {
    ...{ cwd: ROOT, encoding: 'utf8' },
  })
  expect(stderr).toBe('')
  return reportSchema
    .parse(JSON.parse(stdout))
    .issues.flatMap(({ file, duplicates, ...kinds }) =>
      Object.entries({ ...kinds, duplicates: duplicates.flat() }).flatMap(([kind, found]) =>
        found
          .filter(({ line }) => !(isHandedOn(file, line) && args.length > 0))
          .map(({ name }) => `${file}: ${kind} ${name}`),
      ),
    )
}

/** A name that a file only hands on may be there for tests: where it comes from, it is looked at on its own. */
function isHandedOn(file: string, line: number | undefined): boolean {
  if (line === undefined) return false
  const text = readFileSync(join(ROOT, file), 'utf8')
  const statement = text.split('\n').slice(0, line).join('\n').lastIndexOf('\nexport')
  return /^\nexport (type )?\{[^}]*\}\s*from /.test(text.slice(statement))
}

test('nothing is exported or installed that nobody uses', { timeout: 60_000 }, () => {
  expect(findings()).toEqual([])
})

test('nothing of the product is there for tests only', { timeout: 60_000 }, () => {
  const strict = findings('--production')
  expect(strict.filter((line) => line.startsWith('src/'))).toEqual([])
})
