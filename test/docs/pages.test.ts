import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ExitCode } from '../../src/cli/exit.ts'
import type { ClientOptions } from '../../src/client.ts'
import { codeIn, linksOf, RULE_FILES, read, root, rowsOf } from './support.ts'

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'AGENTS.md',
  'docs/architecture.md',
  'docs/divergence.md',
  'docs/guarantees.md',
  'docs/protocol.md',
  'docs/configuration.md',
  'docs/operations.md',
  'docs/decisions.md',
  'docs/invariants.md',
  'docs/scenarios.md',
  'docs/traps.md',
  'docs/security.md',
  'docs/watching.md',
  'docs/embedding.md',
  'docs/testing-your-state-machine.md',
  'docs/replicated-machines.md',
  'docs/machines.md',
  'examples/deploy/README.md',
  'test/scenarios/README.md',
  'src/rules/README.md',
]

describe.each(PAGES)('%s', (page) => {
  const text = read(page)
  const links = linksOf(text)

  test('links to what is there', () => {
    const local = links.filter(({ target }) => !/^https?:/.test(target))
    const missing = local.filter(({ target }) => !existsSync(new URL(target, new URL(page, root))))
    expect(missing).toEqual([])
  })

  test('names no path and no address of somebody’s machine', () => {
    expect(text).not.toMatch(/\/(home|root|work|tmp|Users)\//)
  })
})

describe('README.md', () => {
  const text = read('README.md')

  test('begins with the two commands that do everything', () => {
    const commands = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].slice(0, 2).map(([, block]) => block)
    expect(commands).toEqual(['npm install && npm start\n', 'npm install && npm test\n'])
  })

  test('shows examples/embed.ts as it is, in about thirty lines', () => {
    const example = read('examples/embed.ts')
    expect(text).toContain(`\`\`\`ts\n${example}\`\`\``)
    expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(32)
  })

  test('names scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json'))
    const named = [
      ...text.matchAll(/npm (?:run )?(start|test|build|check|format|docs|statecharts|bench|sim)\b/g),
    ]
    expect(named.length).toBeGreaterThan(8)
    for (const [, name = ''] of named) expect(Object.keys(scripts)).toContain(name)
  })

  test.each(['README.md', 'docs/operations.md'])('%s tells the exit codes that there are', (page) => {
    for (const code of Object.values(ExitCode))
      expect(read(page)).toMatch(new RegExp(`(\\| |[ ,:] ?)${code}[ |]`))
  })
})

describe.each([
  ['README.md', 'src/rules/'],
  ['src/rules/README.md', ''],
])('%s', (page, folder) => {
  test('lists every rule file, once, with its question', () => {
    const listed = rowsOf(read(page))
      .flatMap((cells) => linksOf(cells.join(' ')))
      .map(({ target }) => target)
    const rules = listed.filter((target) => target.startsWith(folder) && target.endsWith('.ts'))
    expect([...rules].sort()).toEqual(RULE_FILES.map((name) => folder + name).sort())
  })
})

describe('docs/guarantees.md', () => {
  const references = linksOf(read('docs/guarantees.md')).filter(({ text }) => text.includes(' › '))

  test('names tests', () => expect(references.length).toBeGreaterThan(25))

  test.each(references)('$text', ({ text, target }) => {
    const [, title = ''] = text.split(' › ')
    expect(title.length).toBeGreaterThan(10)
    expect(read(target.replace('../', ''))).toContain(title)
  })

  test('names every promise with a test, but for the table of limits', () => {
    const [promises = ''] = read('docs/guarantees.md').split('## Limits')
    const rows = rowsOf(promises).filter(([first]) => first !== 'promise' && first !== '---')
    for (const [promise, tests = ''] of rows) expect(linksOf(tests).length, promise).toBeGreaterThan(0)
  })
})

test('docs/decisions.md names versions that package.json asks for', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'))
  const versions: Record<string, string> = { ...dependencies, ...devDependencies }
  const text = read('docs/decisions.md')
  expect(text).toContain(`xstate ${versions.xstate}`)
  for (const name of ['nats', 'better-sqlite3', 'zod', 'commander', 'vitest']) {
    const major = versions[name]?.replace(/^\D*/, '').split('.')[0]
    expect(text).toMatch(new RegExp(`${name} ${major}\\b`))
  }
})

test('options named in the pages exist', async () => {
  const { tuningSchema } = await import('../../src/options.ts')
  const names = PAGES.flatMap((page) => codeIn(read(page))).filter((code) =>
    /^(max|election)[A-Z]\w+$/.test(code),
  )
  expect(names.length).toBeGreaterThan(10)
  const ofClients: readonly string[] = ['maxPending', 'maxPendingBytes'] satisfies (keyof ClientOptions)[]
  for (const name of names) expect([...Object.keys(tuningSchema.shape), ...ofClients]).toContain(name)
})
