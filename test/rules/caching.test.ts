// Which durable entries are worth their memory.

import { describe, expect, it } from 'vitest'
import { neededFrom } from '../../src/rules/caching.ts'

const at = (matchIndex: number, nextIndex = matchIndex + 1) => ({ matchIndex, nextIndex })

describe('needed is', () => {
  it.each([
    ['what is to be applied', 10, 1, [], 11],
    ['what a follower has not acknowledged', 10, 1, [at(7), at(10)], 8],
    ['what is in flight to one', 10, 5, [at(4, 9)], 5],
    ['what is to be applied, when all have it', 10, 1, [at(20), at(30)], 11],
    ['nothing more for one that memory does not reach back to', 10, 5, [at(3), at(9)], 10],
    ['all, while nothing is known of a follower that begins at the end', 10, 5, [at(0, 11)], 1],
    ['everything of an empty log', 0, 1, [at(0)], 1],
  ])('%s', (_, appliedIndex, firstCachedIndex, followers, first) => {
    expect(neededFrom(appliedIndex, firstCachedIndex, followers)).toBe(first)
  })
})
