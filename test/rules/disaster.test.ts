// Members by the word of an operator: what becomes of every configuration, and of the term of an entry that nobody runs for.

import { describe, expect, it } from 'vitest'
import {
  isOverruled,
  judgeReset,
  type ResetSituation,
  recoveryTerm,
  saysTheSame,
} from '../../src/rules/disaster.ts'
import { isPlausibleTerm } from '../../src/rules/term.ts'
import type { Configuration, LogId } from '../../src/rules/types.ts'

const ABC: Configuration = { peers: ['a', 'b', 'c'], oldPeers: [] }
const situation = (over: Partial<ResetSituation>): ResetSituation => ({
  ...{ configuration: ABC, peers: ['a'], self: 'a', identity: 7, changing: false, installing: false },
  lacksPayload: false,
  ...over,
})
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => (i === 0 ? 'a' : `m${i}`))

describe('a set that is forced', () => {
  it.each<[string, Partial<ResetSituation>, Configuration]>([
    ['is in force alone', {}, { peers: ['a'], oldPeers: [], identities: { a: 7 } }],
    ['may name strangers', { peers: ['a', 'x'] }, { peers: ['a', 'x'], oldPeers: [], identities: { a: 7 } }],
    [
      'ends a joint configuration, the old half as well as the new one',
      { configuration: { peers: ['a', 'd', 'e'], oldPeers: ['a', 'b', 'c'] } },
      { peers: ['a'], oldPeers: [], identities: { a: 7 } },
    ],
    [
      'of the names of a joint one is forced nevertheless, for both halves decide in that',
      { configuration: { peers: ['a'], oldPeers: ['a', 'b', 'c'] } },
      { peers: ['a'], oldPeers: [], identities: { a: 7 } },
    ],
    [
      'makes voters of learners, the told one too, and strangers of the others',
      {
        configuration: { peers: ['b', 'c'], oldPeers: [], learners: ['a', 'l', 'm'] },
        peers: ['a', 'l'],
      },
      { peers: ['a', 'l'], oldPeers: [], identities: { a: 7 } },
    ],
    [
      'keeps witnesses as such',
      { configuration: { ...ABC, witnesses: ['b', 'c'] }, peers: ['a', 'b'] },
      { peers: ['a', 'b'], oldPeers: [], identities: { a: 7 }, witnesses: ['b'] },
    ],
    [
      'keeps the files that those who stay are known by, and forgets those of the others',
      { configuration: { ...ABC, identities: { a: 7, b: 8, c: 9 } }, peers: ['a', 'b'] },
      { peers: ['a', 'b'], oldPeers: [], identities: { a: 7, b: 8 } },
    ],
    [
      'knows the told one by the files that it has now, announced or not',
      { configuration: { ...ABC, identities: { a: 1, b: 8 }, newcomers: { a: 7, b: 2 } }, peers: ['a', 'b'] },
      { peers: ['a', 'b'], oldPeers: [], identities: { a: 7, b: 8 } },
    ],
    [
      'knows no files where the disk draws none',
      { configuration: { ...ABC, identities: { b: 8 } }, identity: 0 },
      { peers: ['a'], oldPeers: [] },
    ],
    [
      'keeps priorities, but for that of one that has to lead now',
      { configuration: { ...ABC, priorities: { a: 0, b: 0, c: 5 } }, peers: ['a', 'b'] },
      { peers: ['a', 'b'], oldPeers: [], identities: { a: 7 }, priorities: { b: 0 } },
    ],
    [
      'begins a group where nobody is a member yet',
      { configuration: { peers: [], oldPeers: [] } },
      { peers: ['a'], oldPeers: [], identities: { a: 7 } },
    ],
    [
      'is forced with the same names as well, when the told one could not lead by what is in force',
      { configuration: { ...ABC, identities: { a: 1 } }, peers: ['c', 'b', 'a'] },
      { peers: ['c', 'b', 'a'], oldPeers: [], identities: { a: 7 } },
    ],
    [
      'and when it never leads',
      { configuration: { ...ABC, priorities: { a: 0 } }, peers: ['a', 'b', 'c'] },
      { peers: ['a', 'b', 'c'], oldPeers: [], identities: { a: 7 } },
    ],
  ])('%s', (_, over, configuration) => {
    expect(judgeReset(situation(over))).toEqual({ kind: 'force', configuration })
  })

  it.each<[string, Partial<ResetSituation>, RegExp]>([
    ['nobody', { peers: [] }, /at least one voter/],
    ['somebody twice', { peers: ['a', 'b', 'a'] }, /a is named twice/],
    ['others than the told one', { peers: ['b', 'c'] }, /a is not among b, c: ask one that is/],
    ['too many', { peers: names(256) }, /at most 255/],
    ['a witness as the told one', { configuration: { ...ABC, witnesses: ['a'] } }, /a is a witness/],
    ['one that has the files of a witness', { lacksPayload: true }, /a is a witness/],
    [
      'more witnesses than leave a majority somebody with data',
      { configuration: { ...ABC, witnesses: ['b', 'c'] }, peers: ['a', 'b', 'c'] },
      /at most 1 may be/,
    ],
    ['nobody, while a change runs', { peers: [], changing: true }, /at least one voter/],
  ])('cannot be %s', (_, over, why) => {
    expect(judgeReset(situation(over))).toEqual({ kind: 'invalid', why: expect.stringMatching(why) })
  })

  it('may be as large as any', () => {
    expect(judgeReset(situation({ peers: names(255) })).kind).toBe('force')
  })

  it.each<[string, Partial<ResetSituation>]>([
    ['while a leader changes the members', { changing: true }],
    ['while a snapshot is installed', { installing: true }],
    ['not even when it is so already', { changing: true, peers: ['a', 'b', 'c'] }],
  ])('has to wait: %s', (_, over) => {
    expect(judgeReset(situation(over)).kind).toBe('busy')
  })

  it.each<[string, Partial<ResetSituation>]>([
    ['in another order', { peers: ['c', 'a', 'b'] }],
    [
      'with the files that are known',
      { configuration: { ...ABC, identities: { a: 7 } }, peers: ['a', 'b', 'c'] },
    ],
    [
      'where the disk draws no identity',
      { configuration: { ...ABC, identities: { a: 1 } }, peers: ['a', 'b', 'c'], identity: 0 },
    ],
    ['beside learners', { configuration: { ...ABC, learners: ['l'] }, peers: ['a', 'b', 'c'] }],
  ])('is there already: %s', (_, over) => {
    expect(judgeReset(situation(over))).toEqual({ kind: 'unchanged' })
  })
})

it.each<[Configuration, string[], boolean]>([
  [ABC, ['c', 'b', 'a'], true],
  [ABC, ['a', 'b'], false],
  [ABC, ['a', 'b', 'd'], false],
  [{ peers: ['a'], oldPeers: ['a', 'b', 'c'] }, ['a'], false],
])('%j says that the voters are %j: %s', (configuration, peers, same) => {
  expect(saysTheSame(configuration, peers)).toBe(same)
})

it.each<[LogId, LogId | null, boolean]>([
  [{ index: 5, term: 2 }, null, false],
  [{ index: 5, term: 2 }, { index: 1, term: 1 }, false],
  [{ index: 5, term: 2 }, { index: 5, term: 2 }, false],
  [{ index: 5, term: 2 }, { index: 7, term: 1 }, false],
  [{ index: 5, term: 2 }, { index: 6, term: 2 }, true],
  [{ index: 5, term: 2 }, { index: 4, term: 3 }, true],
  [{ index: 0, term: 0 }, { index: 1, term: 1 }, true],
])('forced when %j was the newest, and now it is %j: overruled %s', (since, newest, overruled) => {
  expect(isOverruled(since, newest)).toBe(overruled)
})

describe('the term of what is written while nobody runs', () => {
  it('is far from every one that others can have reached', () => {
    expect(recoveryTerm(1)).toBe(1 + 2 ** 20)
    expect(recoveryTerm(41)).toBe(41 + 2 ** 20)
  })

  it.each([0, 1, 2, 1000, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER - 2 ** 41, Number.MAX_SAFE_INTEGER - 2])(
    'is later than %d, and one that others believe',
    (term) => {
      const next = recoveryTerm(term)
      expect(next).toBeGreaterThan(term)
      expect(isPlausibleTerm(term, next)).toBe(true)
    },
  )
})
