// Imports point downwards only: the layout of docs/architecture.md, as a list.

import { describe, expect, it } from 'vitest'
import { LEVELS } from './support/layers.ts'
import { importsOf, sourcesIn } from './support/sources.ts'

const sources = sourcesIn('src')

function levelOf(path: string): number {
  return LEVELS.findIndex((level) =>
    level.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place)),
  )
}

const edges = sources.flatMap((source) => importsOf(source).map((to) => ({ from: source.path, to })))
const shown = ({ from, to }: { from: string; to: string }) => `${from} imports ${to}`

describe('imports', () => {
  it('are found at all', () => {
    expect(edges.length).toBeGreaterThan(sources.length)
  })

  it('come from files that have their place in the layout', () => {
    expect(sources.map(({ path }) => path).filter((path) => levelOf(path) < 0)).toEqual([])
  })

  it('stay within src', () => {
    expect(edges.filter(({ to }) => !to.startsWith('src/') && to !== 'package.json').map(shown)).toEqual([])
  })

  it('name files that exist, with their ending', () => {
    const known = new Set(sources.map(({ path }) => path))
    expect(edges.filter(({ to }) => to.startsWith('src/') && !known.has(to)).map(shown)).toEqual([])
  })

  it('point downwards, never up', () => {
    const upwards = edges.filter(({ from, to }) => to.startsWith('src/') && levelOf(to) < levelOf(from))
    expect(upwards.map(shown)).toEqual([])
  })
})

describe('the rules', () => {
  it('import nothing but rules', () => {
    const leaving = edges.filter(
      ({ from, to }) => from.startsWith('src/rules/') && !to.startsWith('src/rules/'),
    )
    expect(leaving.map(shown)).toEqual([])
  })

  it('know no package and no platform', () => {
    const bare = sources
      .filter(({ path }) => path.startsWith('src/rules/'))
      .filter(({ text }) => /from '(?!\.)/.test(text) || /\b(process|globalThis|Buffer)\b/.test(text))
    expect(bare.map(({ path }) => path)).toEqual([])
  })
})

it('nothing but the outer edges knows NATS, SQLite or a terminal', () => {
  const places: Readonly<Record<string, readonly string[]>> = {
    nats: ['src/transport/nats/'],
    'nkeys.js': ['src/transport/nats/'],
    'better-sqlite3': ['src/storage/sqlite/'],
    'cbor-x': ['src/transport/'],
    commander: ['src/cli/'],
    pino: ['src/cli/'],
    'prom-client': ['src/observability/metrics/'],
    'cli-table3': ['src/cli/'],
    'cli-progress': ['src/cli/'],
    vitest: [],
    'fast-check': [],
  }
  const strangers = sources.flatMap(({ path, text }) =>
    Object.entries(places)
      .filter(
        ([name, allowed]) =>
          text.includes(`from '${name}'`) && !allowed.some((place) => path.startsWith(place)),
      )
      .map(([name]) => `${path} imports ${name}`),
  )
  expect(strangers).toEqual([])
})
