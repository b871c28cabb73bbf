// The map shows the house as it is: levels, folders, doors. And a newcomer finds the way from the README to the file.

import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { LEVELS } from '../tidy/support/layers.ts'
import { filesIn } from '../tidy/support/sources.ts'
import { codeIn, linksOf, read, root, rowsOf } from './support.ts'

const PAGE = 'docs/architecture.md'
const map = read(PAGE)

/** What a page links to, as paths of the repository. */
const targetsOf = (page: string, text = read(page)): string[] =>
  linksOf(text)
    .filter(({ target }) => !/^https?:/.test(target))
    .map(({ target }) => new URL(target, new URL(page, 'file:///')).pathname.slice(1))

/** The rows of the first table below a heading. */
const tableUnder = (heading: string): string[][] => {
  const [, section = ''] = map.split(`\n${heading}\n`)
  const [, table = ''] = /^(\|[\s\S]*?)\n\n/m.exec(section) ?? []
  return rowsOf(table).filter(([first]) => first?.startsWith('`'))
}

describe(PAGE, () => {
  it('lists the levels as the law has them', () => {
    expect(tableUnder('## Who may know whom').map(([places = '']) => codeIn(places))).toEqual(LEVELS)
  })

  it('names every folder below src, and none that is not there', () => {
    const folders = new Set(filesIn(['src'], /\.ts$/).map((path) => path.slice(0, path.lastIndexOf('/') + 1)))
    folders.delete('src/')
    const named = new Set(
      rowsOf(map)
        .flatMap(([places = '']) => codeIn(places))
        .filter((code) => /^src\/.*\/$/.test(code)),
    )
    expect([...folders].filter((folder) => !named.has(folder))).toEqual([])
    expect([...named].filter((folder) => !existsSync(new URL(folder, root)))).toEqual([])
  })

  it.each([
    ['ApplyWorld', 'src/actors/apply/apply-world.ts'],
    ['ReplicationWorld', 'src/actors/replication/replication-world.ts'],
    ['IntakeWorld', 'src/actors/node/intake.ts'],
    ['Office', 'src/actors/node/office.ts'],
    ['Candidacy', 'src/actors/node/candidacy.ts'],
    ['Following', 'src/actors/node/following.ts'],
    ['Life', 'src/actors/node/life.ts'],
    ['Outbox', 'src/actors/node/outbox.ts'],
    ['NodeCore', 'src/actors/node/node.core.ts'],
  ])('shows where %s is declared', (name, path) => {
    expect(linksOf(map).map(({ text, target }) => [text, target])).toContainEqual([name, `../${path}`])
    expect(read(path)).toMatch(new RegExp(`^export (class|interface) ${name}\\b`, 'm'))
  })

  it('names each thread that is started', () => {
    const threads = filesIn(['src'], /-thread\.ts$/)
    expect(threads.length).toBeGreaterThan(1)
    for (const path of threads) expect(targetsOf(PAGE)).toContain(path)
  })
})

describe('CONTRIBUTING.md', () => {
  it('names every test of house rules and of the pages', () => {
    const tidy = readdirSync(new URL('test/tidy', root)).filter((name) => name.endsWith('.test.ts'))
    const missing = tidy.filter((name) => !targetsOf('CONTRIBUTING.md').includes(`test/tidy/${name}`))
    expect(missing).toEqual([])
  })

  it.each(['message', 'option', 'command', 'admin command', 'rule', 'chart state', 'planted bug'])(
    'says what to touch to add a %s, by links to what is there',
    (what) => {
      const recipe = recipeFor(what)
      expect(recipe.length).toBeGreaterThan(40)
      for (const path of targetsOf('CONTRIBUTING.md', recipe))
        expect(existsSync(new URL(path, root)), path).toBe(true)
    },
  )
})

function recipeFor(what: string): string {
  const recipes = read('CONTRIBUTING.md').split(/^(?=- \*\*)/m)
  return recipes.find((recipe) => new RegExp(`^- \\*\\*An? ${what}\\b`).test(recipe)) ?? ''
}

describe('a newcomer finds in ten seconds, from the README', () => {
  const readme = targetsOf('README.md')

  test('the rule for a pre-vote', () => {
    expect(readme).toContain(PAGE)
    expect(readme).toContain('src/rules/vote.ts')
    const sentence = map.split('\n').find((line) => line.includes('pre-vote: '))
    expect(targetsOf(PAGE, sentence)).toContain('src/rules/vote.ts')
    expect(read('src/rules/vote.ts')).toContain('export function decidePreVote(')
  })

  test('where the bytes of a message are defined', () => {
    expect(readme).toContain('src/transport/wire/messages/registry.ts')
    expect(targetsOf(PAGE)).toContain('src/transport/wire/messages/registry.ts')
    const messages = readdirSync(new URL('src/transport/wire/messages', root))
    expect(messages).toEqual(expect.arrayContaining(['pre-vote.ts', 'append-entries.ts']))
  })

  test('what INV-18 says', () => {
    expect(readme).toContain('docs/invariants.md')
    const row = rowsOf(read('docs/invariants.md')).find(([first]) => first === 'INV-18')
    expect(row?.[1]).toMatch(/^Truthful completion\. /)
  })

  test('what to touch to add an admin command', () => {
    expect(readme).toContain('CONTRIBUTING.md')
    const touched = targetsOf('CONTRIBUTING.md', recipeFor('admin command'))
    expect(touched).toEqual(
      expect.arrayContaining([
        'src/protocol/admin-protocol.ts',
        'src/services/attach.ts',
        'src/transport/permissions.ts',
      ]),
    )
  })

  test('what an agent must know', () => {
    expect(readme).toContain('AGENTS.md')
    expect(targetsOf('AGENTS.md')).toContain('CONTRIBUTING.md')
    const { scripts } = JSON.parse(read('package.json'))
    for (const [, name = ''] of read('AGENTS.md').matchAll(/npm run (\w+)/g))
      expect(Object.keys(scripts)).toContain(name)
  })
})
