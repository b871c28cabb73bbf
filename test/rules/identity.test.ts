// Whose files count, and how other files are taken in.

import { describe, expect, test } from 'vitest'
import { nextRecord, type RecordSituation, standingOf } from '../../src/rules/identity.ts'
import { hasQuorum } from '../../src/rules/quorum.ts'
import type { Configuration } from '../../src/rules/types.ts'
import { subsetsOf } from './support/small-scopes.ts'

const PEERS = ['a', 'b', 'c']
const group = (over: Partial<Configuration> = {}): Configuration => ({ peers: PEERS, oldPeers: [], ...over })

describe('standing', () => {
  test.each([
    ['the recorded files', 7, { b: 7 }, 'known'],
    ['no entry names any', 7, {}, 'unrecorded'],
    ['another member is recorded', 7, { c: 7 }, 'unrecorded'],
    ['other files', 8, { b: 7 }, 'newcomer'],
    ['a member of an earlier version says none', 0, { b: 7 }, 'known'],
    ['neither says any', 0, {}, 'known'],
  ] as const)('%s', (_what, told, identities, standing) => {
    expect(standingOf(group({ identities }), 'b', told)).toBe(standing)
  })

  test('a newcomer that is announced is still one', () => {
    expect(standingOf(group({ identities: { b: 7 }, newcomers: { b: 8 } }), 'b', 8)).toBe('newcomer')
  })
})

describe('what a leader records next', () => {
  const situation = (over: Partial<RecordSituation>): RecordSituation => ({
    configuration: group({ identities: { a: 1, b: 7, c: 3 } }),
    configurationIndex: 10,
    commitIndex: 20,
    sightings: [],
    trusted: [],
    ...over,
  })
  const sees = (identity: number, matchIndex: number) => ({ peer: 'b', identity, matchIndex })
  const announced = group({ identities: { a: 1, b: 7, c: 3 }, newcomers: { b: 8 } })

  test.each([
    ['nothing when all is known', {}, sees(7, 20), null],
    ['nothing when a member has not said', {}, sees(0, 20), null],
    [
      'who is in no record',
      { configuration: group({ identities: { a: 1 } }) },
      sees(7, 0),
      [{ a: 1, b: 7 }, {}],
    ],
    ['nothing of a newcomer that misses something committed', {}, sees(8, 19), null],
    ['a newcomer that holds everything committed', {}, sees(8, 20), [{ a: 1, b: 7, c: 3 }, { b: 8 }]],
    [
      'nothing while the configuration in force is not committed',
      { configurationIndex: 21 },
      sees(8, 30),
      null,
    ],
    ['an announced newcomer as known', { configuration: announced }, sees(8, 0), [{ a: 1, b: 8, c: 3 }, {}]],
    [
      'a newcomer that lost its files once more',
      { configuration: announced },
      sees(9, 20),
      [{ a: 1, b: 7, c: 3 }, { b: 9 }],
    ],
    ['nothing of one that did, until it has caught up', { configuration: announced }, sees(9, 3), null],
    ['that the old files are back', { configuration: announced }, sees(7, 0), [{ a: 1, b: 7, c: 3 }, {}]],
    ['at once whom an operator vouches for', { trusted: ['b'] }, sees(8, 0), [{ a: 1, b: 8, c: 3 }, {}]],
    ['nothing new of one vouched for who says nothing', { trusted: ['b'] }, sees(0, 20), null],
  ] as const)('%s', (_what, over, sighting, expected) => {
    const next = nextRecord(situation({ ...over, sightings: [sighting] }))
    expect(next === null ? null : [next.identities, next.newcomers]).toEqual(expected)
    if (next !== null) expect([next.peers, next.oldPeers]).toEqual([PEERS, []])
  })
})

test('whoever elects with the forgotten files, and whoever announced the new ones, share a member that keeps its word', () => {
  let pairs = 0
  for (let size = 1; size <= 5; size++) {
    const peers = Array.from({ length: size }, (_, i) => `m${i}`)
    const isQuorum = (some: readonly string[]): boolean =>
      hasQuorum({ peers, oldPeers: [] }, (peer) => some.includes(peer))
    const electors = subsetsOf(peers).filter(isQuorum)
    for (const newcomers of subsetsOf(peers)) {
      const announcers = subsetsOf(peers.filter((peer) => !newcomers.includes(peer))).filter(isQuorum)
      for (const announcing of announcers) {
        for (const electing of electors) {
          pairs++
          const shared = electing.filter((peer) => announcing.includes(peer))
          const kept = shared.filter((peer) => !newcomers.includes(peer))
          if (kept.length === 0) expect.fail(`${electing} elect, ${announcing} announce ${newcomers}`)
        }
      }
    }
  }
  expect(pairs).toBeGreaterThan(500)
})
