// What a leader believes about a follower: paper section 5.3.

import { describe, expect, it } from 'vitest'
import { backOff, firstProbe, maySend } from '../../src/rules/progress.ts'
import { range } from './support/small-scopes.ts'

it('a new leader begins to probe just after its own last entry (paper section 5.3)', () => {
  expect(firstProbe(0)).toBe(1)
  expect(firstProbe(41)).toBe(42)
})

describe('after a refusal the leader', () => {
  it.each([
    ['goes to the end of a shorter log at once', 100, 20, 21],
    ['goes back by one where the log is long enough', 100, 99, 99],
    ['goes back by one where the log is longer', 100, 500, 99],
    ['never goes below the first index', 1, 0, 1],
    ['never goes below the first index, whatever the hint', 1, 9, 1],
    ['begins at the front when the follower has nothing', 100, 0, 1],
  ])('%s', (_, nextIndex, hint, expected) => {
    expect(backOff(nextIndex, hint)).toBe(expected)
  })

  it('reaches the front in the end, whatever the hints', () => {
    for (const hint of range(0, 12)) {
      let next = 10
      for (let round = 0; round < 10; round++) {
        const before = next
        next = backOff(next, hint)
        expect(next).toBeLessThan(before === 1 ? 2 : before)
      }
      expect(next).toBe(1)
    }
  })
})

describe('a window takes another frame', () => {
  const limit = { frames: 3, bytes: 100 }
  it.each([
    [{ frames: 0, bytes: 0 }, true],
    [{ frames: 2, bytes: 99 }, true],
    [{ frames: 3, bytes: 0 }, false],
    [{ frames: 2, bytes: 100 }, false],
    // Whatever its size, one frame may always fly, or an oversized entry would stop replication for good.
    [{ frames: 0, bytes: 100 }, true],
  ])('with %j in flight: %s', (inFlight, expected) => {
    expect(maySend(inFlight, limit)).toBe(expected)
  })
})
