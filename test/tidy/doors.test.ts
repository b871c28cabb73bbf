// Who may touch what inside a node: term, vote and commit index have one writer, an office is the only sign of
// leadership, and the actors beside the node see it through doors of their own.

import { describe, expect, it } from 'vitest'
import { importsOf, linesWith, sourcesIn } from './support/sources.ts'

const sources = sourcesIn('src')
const at = (path: string) => sources.filter((source) => source.path.startsWith(path))

describe('term, vote and commit index', () => {
  it('are assigned in one file', () => {
    const assigned = /(?:core\.|this\.#)(term|votedFor|commitIndex)\s*(=(?!=)|\+\+|--|[-+]=)/
    const writers = at('src/actors/').filter((source) => linesWith(source, assigned).length > 0)
    expect(writers.map(({ path }) => path)).toEqual(['src/actors/node/node.core.ts'])
  })
})

describe('leadership', () => {
  it('is asked for in one way: is there an office?', () => {
    const otherwise = /\brole\s*[!=]==\s*'leader'/
    const rules = /^src\/rules\//
    const asked = sources.filter(({ path }) => path.startsWith('src/actors/') && !rules.test(path))
    expect(asked.flatMap((source) => linesWith(source, otherwise, 'text'))).toEqual([])
  })
})

describe('the actors beside the node', () => {
  it('do not know its core: each declares the door it needs', () => {
    const beside = sources.filter(
      ({ path }) => path.startsWith('src/actors/') && !path.startsWith('src/actors/node/'),
    )
    const inside = [...beside, ...at('src/actors/node/proposal-queue.ts')].flatMap((source) =>
      importsOf(source)
        .filter((to) => to === 'src/actors/node/node.core.ts')
        .map(() => source.path),
    )
    expect(inside).toEqual([])
  })
})
