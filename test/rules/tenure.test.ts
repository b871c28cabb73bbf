// How long one copy on the leader may go on, and which of two tokens is older.

import { describe, expect, it } from 'vitest'
import {
  compareTokens,
  type FencingToken,
  judgeTenure,
  type TenureTerms,
  tenureFromMs,
} from '../../src/rules/tenure.ts'

const TERMS: TenureTerms = { untilMs: 1000, marginMs: 50, graceMs: 100 }

describe('what only a leader may do', () => {
  it.each([
    ['goes on while there is time to end it in', 849, { kind: 'run', lookAtMs: 850, stopAtMs: 950 }],
    ['is told to end when only the time of grace is left', 850, { kind: 'end', stopAtMs: 950 }],
    ['may use that up', 949, { kind: 'end', stopAtMs: 950 }],
    ['stops by the margin before another one could lead', 950, { kind: 'stop' }],
    ['stops at once when that was missed', 5000, { kind: 'stop' }],
  ])('%s', (_, nowMs, verdict) => {
    expect(judgeTenure(TERMS, nowMs)).toEqual(verdict)
  })

  it('stops when nobody answers, or nothing is known', () => {
    expect(judgeTenure({ ...TERMS, untilMs: Number.NEGATIVE_INFINITY }, 0)).toEqual({ kind: 'stop' })
  })

  it('is not told to end without a time of grace: it is stopped', () => {
    expect(judgeTenure({ ...TERMS, graceMs: 0 }, 949)).toEqual({ kind: 'run', lookAtMs: 950, stopAtMs: 950 })
    expect(judgeTenure({ ...TERMS, graceMs: 0 }, 950)).toEqual({ kind: 'stop' })
  })
})

describe('a leadership that others may have held until now', () => {
  const won = {
    ...{ term: 3, sinceMs: 1000, isSettled: false, leasesOn: false },
    ...{ electionTimeoutMs: 200, maxClockDriftMs: 50 },
  }

  it.each([
    ['waits for the time that an earlier leader may still count on', {}, 1250],
    ['begins when that one is known to have stepped down', { isSettled: true }, 1000],
    ['begins at once with leases on: the voters have waited', { leasesOn: true }, 1000],
    ['begins at once in the first term of all', { term: 1 }, 1000],
  ])('%s', (_, over, fromMs) => {
    expect(tenureFromMs({ ...won, ...over })).toBe(fromMs)
  })
})

describe('tokens', () => {
  const token = (term: number, index: number, run: number): FencingToken => ({ term, index, run })

  it.each([
    ['of a later term', token(2, 9, 9), token(3, 1, 1)],
    ['of a later entry', token(2, 3, 9), token(2, 4, 1)],
    ['of a later run in one leadership', token(2, 3, 1), token(2, 3, 2)],
  ])('%s are newer', (_, older, newer) => {
    expect(compareTokens(older, newer)).toBeLessThan(0)
    expect(compareTokens(newer, older)).toBeGreaterThan(0)
    expect(compareTokens(older, { ...older })).toBe(0)
  })
})
