// The lock file is whole: `npm ci` takes it as it is, on every platform, from whichever registry is configured.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'

const dependenciesSchema = z.record(z.string(), z.string()).default({})
const entrySchema = z.object({
  link: z.boolean().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  dependencies: dependenciesSchema,
  optionalDependencies: dependenciesSchema,
})
const lockSchema = z.object({ packages: z.record(z.string(), entrySchema) })
const { packages } = lockSchema.parse(
  JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')),
)

/** As Node looks for it: in the package's own folder, then in each above. */
function isThere(name: string, from: string): boolean {
  const own = from === '' ? '' : `${from}/`
  if (`${own}node_modules/${name}` in packages) return true
  const above = from.lastIndexOf('/node_modules/')
  return from !== '' && isThere(name, above < 0 ? '' : from.slice(0, above))
}

test('it has everything that a package asks for, for other platforms too', () => {
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isThere(name, path))
      .map((name) => `${path} needs ${name}`),
  )
  expect(missing).toEqual([])
  expect(Object.keys(packages).length).toBeGreaterThan(100)
})

test('it says what each package must hash to, and not where it comes from', () => {
  for (const [path, { resolved, integrity }] of Object.entries(packages)) {
    if (path === '') continue
    expect([path, resolved, integrity]).toEqual([path, undefined, expect.stringMatching(/^sha512-/)])
  }
})
