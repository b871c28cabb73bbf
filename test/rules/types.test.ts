// The order of log positions: paper section 5.4.1, "if the logs have last entries with different terms …".

import { describe, expect, it } from 'vitest'
import { compareLogIds, NOTHING } from '../../src/rules/types.ts'
import { logIdsUpTo } from './support/small-scopes.ts'

describe('of two logs', () => {
  it('the one with the later term is more up to date, however short it is', () => {
    expect(compareLogIds({ index: 1, term: 3 }, { index: 100, term: 2 })).toBeGreaterThan(0)
  })

  it('with equal terms the longer one is more up to date', () => {
    expect(compareLogIds({ index: 5, term: 2 }, { index: 4, term: 2 })).toBeGreaterThan(0)
    expect(compareLogIds({ index: 4, term: 2 }, { index: 5, term: 2 })).toBeLessThan(0)
  })

  it('nothing is older than anything', () => {
    expect(compareLogIds(NOTHING, { index: 1, term: 1 })).toBeLessThan(0)
    expect(compareLogIds(NOTHING, NOTHING)).toBe(0)
  })
})

it('the order of positions is total: antisymmetric and transitive', () => {
  const all = logIdsUpTo(3, 3)
  for (const a of all) {
    for (const b of all) {
      expect(Math.sign(compareLogIds(a, b))).toBe(-Math.sign(compareLogIds(b, a)) + 0)
      for (const c of all) {
        if (compareLogIds(a, b) <= 0 && compareLogIds(b, c) <= 0) {
          expect(compareLogIds(a, c)).toBeLessThanOrEqual(0)
        }
      }
    }
  }
})
