// When a read is safe: thesis section 6.4, INV-16.

import { describe, expect, it } from 'vitest'
import {
  confirmRound,
  isConfirmed,
  judgeLogRead,
  mayServeReads,
  type ReadRound,
} from '../../src/rules/read.ts'
import type { Configuration, PeerId } from '../../src/rules/types.ts'

const round = (configuration: Configuration): ReadRound => ({
  id: 1,
  configuration,
  readIndex: 10,
  confirmedBy: new Set(),
})
const FIVE: Configuration = { peers: ['a', 'b', 'c', 'd', 'e'], oldPeers: [] }

function confirmedBy(configuration: Configuration, peers: readonly PeerId[], self = 'a'): boolean {
  let asked = round(configuration)
  for (const peer of peers) asked = confirmRound(asked, peer)
  return isConfirmed(asked, self)
}

describe('a leader may serve reads', () => {
  it.each([
    ['not before the first entry of its term is applied (thesis 6.4, step 1)', 7, 6, false],
    ['once that entry is applied', 7, 7, true],
    ['from then on', 7, 90, true],
  ])('%s', (_, firstOfTerm, applied, expected) => {
    expect(mayServeReads(firstOfTerm, applied)).toBe(expected)
  })
})

describe('a round is confirmed', () => {
  it('by a majority, the leader counting itself (thesis 6.4, step 3)', () => {
    expect(confirmedBy(FIVE, ['b'])).toBe(false)
    expect(confirmedBy(FIVE, ['b', 'c'])).toBe(true)
  })

  it('not by the same member twice, nor by strangers', () => {
    expect(confirmedBy(FIVE, ['b', 'b', 'x', 'y'])).toBe(false)
  })

  it('at once when the leader is alone', () => {
    expect(confirmedBy({ peers: ['a'], oldPeers: [] }, [])).toBe(true)
  })

  it('while joint, only by both majorities', () => {
    const joint = { peers: ['a', 'b', 'c'], oldPeers: ['c', 'd', 'e'] }
    expect(confirmedBy(joint, ['b'])).toBe(false)
    expect(confirmedBy(joint, ['c', 'd'])).toBe(true)
  })

  it('without the leader, where it is no member', () => {
    expect(confirmedBy({ peers: ['b', 'c'], oldPeers: [] }, ['b'], 'x')).toBe(false)
  })
})

it('confirming leaves the earlier round as it was', () => {
  const before = round(FIVE)
  confirmRound(before, 'b')
  expect(before.confirmedBy.size).toBe(0)
})

describe('an entry of the log', () => {
  it.each([
    ['is handed out at both ends of what is there and applied', 5, 'read'],
    ['is handed out at both ends of what is there and applied', 9, 'read'],
    ['is gone once it is compacted', 4, 'LOG_DELETED'],
    ['is not final before it is applied', 10, 'NO_MORE_LOG'],
    ['has an index from 1 on', 0, 'INVALID'],
    ['has an index from 1 on', -1, 'INVALID'],
    ['has a whole index', 5.5, 'INVALID'],
    ['has an index that is a number', Number.NaN, 'INVALID'],
  ] as const)('%s: %d', (_, index, expected) => {
    expect(judgeLogRead(index, { firstIndex: 5, appliedIndex: 9 })).toBe(expected)
  })

  it('that is compacted and beyond what is applied is not there yet', () => {
    expect(judgeLogRead(3, { firstIndex: 5, appliedIndex: 2 })).toBe('NO_MORE_LOG')
  })
})
