// House rules that no compiler holds us to: no escape hatches, short files, a first sentence, nothing of one machine.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesIn, linesWith, ROOT, sourcesIn } from './support/sources.ts'

const sources = sourcesIn('src', 'test', 'scripts', 'bench', 'examples')
const MAX_LINES = 400

/** Longer than they should be: lists of tests that are easier to read in one piece. */
const LONG_LISTS: readonly string[] = [
  'src/testing/storage-conformance.ts',
  'test/client/client.test.ts',
  'test/simulation/invariants/invariants.test.ts',
]

describe('the type checker and the linter', () => {
  it('are never told to look away', () => {
    // Put together here, so that this file does not accuse itself.
    const words = ['ts-ignore', 'ts-nocheck', 'biome-ignore', 'eslint-disable'].map((word) => `[@/* ]${word}`)
    expect(sources.flatMap((source) => linesWith(source, new RegExp(words.join('|')), 'text'))).toEqual([])
  })

  it('are never given an any', () => {
    const untyped = /[:<|&,(]\s*any\b(?!\s*[(:])|\bas any\b|\bany\[\]/
    expect(sources.flatMap((source) => linesWith(source, untyped))).toEqual([])
  })

  it('are never talked into a type by way of unknown', () => {
    const own = sources.filter(({ path }) => path.startsWith('src/'))
    expect(own.flatMap((source) => linesWith(source, /\bas unknown as\b|\bas never\b/))).toEqual([])
  })
})

describe('a property', () => {
  it('of carried values draws no key that values may not have', () => {
    const own = sources.filter(
      ({ path }) => path.startsWith('test/') && !path.endsWith('support/arbitraries.ts'),
    )
    expect(own.flatMap((source) => linesWith(source, /\bfc\.json(Value)?\(/))).toEqual([])
  })
})

describe('a test in a browser', () => {
  it('never judges a page by one look: what a click leads to is drawn later', () => {
    const own = sources.filter(({ path, text }) => path.startsWith('test/') && text.includes('withBrowser('))
    expect(own.length).toBeGreaterThan(1)
    const looks = /\bexpect\(.*await (page|sentence|slider)\b/
    expect(own.flatMap((source) => linesWith(source, looks))).toEqual([])
  })
})

describe('a file', () => {
  it(`has at most ${MAX_LINES} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length - 1 > MAX_LINES).map(({ path }) => path)
    expect(long.filter((path) => !LONG_LISTS.includes(path))).toEqual([])
  })

  it('is short as a rule: half of them have at most 100 lines, and few more than 300', () => {
    const lengths = sources
      .filter(({ path }) => path.startsWith('src/'))
      .map(({ text }) => text.split('\n').length - 1)
      .sort((a, b) => a - b)
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(100)
    expect(lengths.filter((length) => length > 300).length).toBeLessThanOrEqual(10)
  })

  it('opens with a sentence that says what it is there for', () => {
    const own = sources.filter(({ path }) => path.startsWith('src/') || path.startsWith('scripts/'))
    const mute = own.filter(({ text }) => !/^(#!.*\n)?\/\/ \S+/.test(text))
    expect(mute.map(({ path }) => path)).toEqual([])
  })

  it('imports its neighbors with their ending', () => {
    expect(
      sources.flatMap((source) => linesWith(source, /from '\.[^']*(?<!\.(ts|mjs|json))'/, 'text')),
    ).toEqual([])
  })
})

describe('nothing of one machine', () => {
  const texts = filesIn(
    [
      'src',
      'test',
      'scripts',
      'bench',
      'examples',
      'docs',
      'statecharts',
      'README.md',
      'package.json',
      'package-lock.json',
    ],
    /\.(ts|mts|mjs|js|json|md|mmd|txt)$/,
  ).map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

  it('is in a path: no home, no working directory', () => {
    const paths = new RegExp(`(^|[^\\w./-])/(${['home', 'root', 'work', 'Users', 'tmp'].join('|')})/`)
    expect(texts.filter(({ text }) => paths.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('is in an address: no registry of packages', () => {
    const hosts = new RegExp(
      ['registry\\.', 'npmjs', 'artifactory', 'verdaccio'].map((word) => `//[\\w.-]*${word}`).join('|'),
    )
    expect(texts.filter(({ text }) => hosts.test(text)).map(({ path }) => path)).toEqual([])
  })
})
