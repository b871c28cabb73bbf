// What is made of a piece that did not come (trap T63).

import { describe, expect, it } from 'vitest'
import { fetchPauseMs, judgeFetchFailure } from '../../src/rules/fetching.ts'

describe('a piece that did not come', () => {
  it.each([
    ['TIMEOUT', undefined, 'later'],
    ['NO_RESPONDERS', undefined, 'later'],
    ['BUS_DOWN', undefined, 'later'],
    ['CLOSED', undefined, 'never'],
    ['REFUSED', 'EBUSY', 'again'],
    ['REFUSED', 'EINTERNAL', 'later'],
    ['REFUSED', 'ENOENT', 'never'],
    ['REFUSED', 'EPERM', 'never'],
    ['REFUSED', 'EINVAL', 'never'],
    ['REFUSED', 'ENOMETHOD', 'never'],
  ])('%s %s: %s', (code, remoteCode, verdict) => {
    expect(judgeFetchFailure(code, remoteCode)).toBe(verdict)
  })

  it('is asked for later and later, and at last not any more', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9].map(fetchPauseMs)).toEqual([
      100,
      200,
      400,
      800,
      1600,
      3200,
      5000,
      5000,
      null,
    ])
  })
})
