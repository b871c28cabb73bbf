// Who should lead when several could.

import { describe, expect, it } from 'vitest'
import { electsItself, mayCampaign } from '../../src/rules/election.ts'
import {
  disappointed,
  looked,
  NO_PREFERENCE,
  type PreferenceSituation,
  preferredLeader,
  standAsideMs,
} from '../../src/rules/priority.ts'
import type { Heir } from '../../src/rules/transfer.ts'
import type { Configuration } from '../../src/rules/types.ts'
import { range } from './support/small-scopes.ts'

const ABCDE = ['a', 'b', 'c', 'd', 'e']
const GROUP: Configuration = { peers: ABCDE, oldPeers: [], priorities: { a: 50, b: 200, d: 0, e: 10 } }

describe('a follower waits before it stands', () => {
  it.each<[string, string | null, number]>([
    ['b', null, 0],
    ['c', null, 11],
    ['c', 'b', 0],
    ['a', null, 22],
    ['a', 'b', 11],
    ['e', null, 22],
  ])('%s, when %s was lost: %i ms', (self, lost, expected) => {
    expect(standAsideMs(GROUP, self, lost, 10)).toBe(expected)
  })

  it('no longer than the others among equals, nor behind a witness', () => {
    expect(standAsideMs({ peers: ABCDE, oldPeers: [] }, 'a', null, 10)).toBe(0)
    expect(standAsideMs({ ...GROUP, witnesses: ['b'] }, 'c', null, 10)).toBe(0)
  })
})

it('priority 0 never campaigns, and leads not even itself', () => {
  const may = (self: string) =>
    mayCampaign({
      ...{ configuration: GROUP, self, leaderIsGone: true },
      ...{ installingSnapshot: false, lacksPayload: false },
    })
  expect(ABCDE.filter(may)).toEqual(['a', 'b', 'c', 'e'])
  const lone: Configuration = { peers: ['d'], oldPeers: [] }
  expect(electsItself(lone, 'd', false)).toBe(true)
  expect(electsItself({ ...lone, priorities: { d: 0 } }, 'd', false)).toBe(false)
})

describe('a leader would rather see in its place', () => {
  const heir = (peer: string, over: Partial<Heir> = {}): Heir => ({
    ...{ peer, matchIndex: 5, consecutiveErrors: 0, counts: true, silentMs: 0, isReadonly: false },
    ...over,
  })
  const seen = (over: Partial<PreferenceSituation>): PreferenceSituation => ({
    ...{ configuration: GROUP, self: 'a', commitIndex: 5, electionTimeoutMs: 100 },
    heirs: ['b', 'c', 'd', 'e'].map((peer) => heir(peer)),
    ...over,
  })
  it.each<[string, Partial<PreferenceSituation>, string | null]>([
    ['the highest', {}, 'b'],
    ['the next one while the highest is behind', { heirs: [heir('b', { matchIndex: 4 }), heir('c')] }, 'c'],
    ['not one that fails', { heirs: [heir('b', { consecutiveErrors: 1 })] }, null],
    ['not one that is silent', { heirs: [heir('b', { silentMs: 101 })] }, null],
    ['not one that is read-only', { heirs: [heir('b', { isReadonly: true })] }, null],
    ['not one with other files', { heirs: [heir('b', { counts: false })] }, null],
    ['not a witness', { configuration: { ...GROUP, witnesses: ['b'] } }, 'c'],
    ['not a learner', { configuration: { ...GROUP, peers: ['a', 'c'], learners: ['b'] } }, 'c'],
    ['nobody below it or beside it', { self: 'b' }, null],
    ['anybody, when it never leads itself', { self: 'd', heirs: [heir('e')] }, 'e'],
  ])('%s', (_, over, expected) => {
    expect(preferredLeader(seen(over))).toBe(expected)
  })
})

describe('leadership moves', () => {
  /** The looks after which it moves, when these are found one after the other and every transfer fails. */
  function movesAfter(found: readonly (string | null)[]): number[] {
    const moves: number[] = []
    let preference = NO_PREFERENCE
    for (const [at, peer] of found.entries()) {
      const step = looked(preference, peer)
      preference = step.transferTo === null ? step.preference : disappointed(step.preference)
      if (step.transferTo !== null) moves.push(at + 1)
    }
    return moves
  }

  it('when the same one was found three times in a row', () => {
    expect(movesAfter(['b', 'b', 'b'])).toEqual([3])
    expect(movesAfter(['b', 'b', null, 'b', 'b', 'c', 'c'])).toEqual([])
    expect(movesAfter(['b', 'c', 'c', 'c'])).toEqual([4])
  })

  it('more and more rarely while it fails, but not for ever', () => {
    expect(movesAfter(range(1, 400).map(() => 'b'))).toEqual([3, 9, 21, 45, 93, 189, 285, 381])
  })
})
