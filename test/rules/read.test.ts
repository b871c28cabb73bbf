// When a read is safe: thesis section 6.4, INV-16.

import { describe, expect, it } from 'vitest'
import { confirmRound, isConfirmed, mayServeReads, type ReadRound } from '../../src/rules/read.ts'
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
