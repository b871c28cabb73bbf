// Whom a leader that leaves tells to campaign (braft ReplicatorGroup::find_the_next_candidate).

import { describe, expect, it } from 'vitest'
import { chooseSuccessor, type Successor } from '../../src/rules/succession.ts'
import type { Configuration } from '../../src/rules/types.ts'

const ABCD: Configuration = { peers: ['a', 'b', 'c', 'd'], oldPeers: [] }
const follower = (peer: string, matchIndex: number, consecutiveErrors = 0): Successor => ({
  peer,
  matchIndex,
  consecutiveErrors,
  isReadonly: false,
})

describe('the successor is', () => {
  it.each<[string, Successor[], string | null]>([
    ['the member with the longest log', [follower('b', 3), follower('c', 9), follower('d', 5)], 'c'],
    ['not one whose last call failed', [follower('b', 3), follower('c', 9, 1)], 'b'],
    ['not one that never acknowledged anything', [follower('b', 0)], null],
    ['not one that is no member', [follower('x', 9), follower('b', 3)], 'b'],
    ['not one that is read-only', [{ ...follower('c', 9), isReadonly: true }, follower('b', 3)], 'b'],
    ['one that is read-only when all are', [{ ...follower('c', 9), isReadonly: true }], 'c'],
    ['nobody when there is nobody', [], null],
  ])('%s', (_, followers, expected) => {
    expect(chooseSuccessor(ABCD, followers, 0.5)).toBe(expected)
  })

  it('of the highest priority among equals, and never one that cannot lead', () => {
    const configuration = { ...ABCD, priorities: { b: 50, c: 200, d: 0 } }
    const equals = [follower('b', 9), follower('c', 9), follower('d', 9)]
    expect(chooseSuccessor(configuration, equals, 0)).toBe('c')
    expect(chooseSuccessor({ ...configuration, witnesses: ['c'] }, equals, 0)).toBe('b')
    expect(chooseSuccessor(configuration, [follower('b', 9), follower('c', 8)], 0)).toBe('b')
    expect(chooseSuccessor(configuration, [follower('d', 9)], 0)).toBeNull()
  })

  it('drawn among equals, each with the same chance', () => {
    const equals = [follower('b', 9), follower('c', 9), follower('d', 9)]
    const drawn = [0, 0.33, 0.34, 0.66, 0.67, 0.999].map((n) => chooseSuccessor(ABCD, equals, n))
    expect(drawn).toEqual(['b', 'b', 'c', 'c', 'd', 'd'])
  })

  it('while joint also one of the old half', () => {
    expect(chooseSuccessor({ peers: ['a'], oldPeers: ['b'] }, [follower('b', 2)], 0)).toBe('b')
  })
})
