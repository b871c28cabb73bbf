// Delays of the timers: paper section 5.2, trap T1.

import { describe, expect, it } from 'vitest'
import { electionDelayMs, retimed, type Timing, voteDelayMs } from '../../src/rules/timing.ts'
import { range } from './support/small-scopes.ts'

const DEFAULTS: Timing = { electionTimeoutMs: 1000, maxClockDriftMs: 1000, maxElectionDelayMs: 1000 }
const LOWEST = 0
const HIGHEST = 1 - 2 ** -53

describe('the election timer', () => {
  it.each([
    ['without a lease, between one and two timeouts', DEFAULTS, 0, [1000, 2000]],
    ['with a lease, at its end plus the random part', DEFAULTS, 700, [700, 1700]],
    ['rounds what is left of a lease up, never down', DEFAULTS, 700.2, [701, 1701]],
    ['bounds the random part', { ...DEFAULTS, maxElectionDelayMs: 30 }, 0, [1000, 1030]],
    ['never adds more than one timeout', { ...DEFAULTS, electionTimeoutMs: 50 }, 0, [50, 100]],
    ['may have no random part at all', { ...DEFAULTS, maxElectionDelayMs: 0 }, 0, [1000, 1000]],
  ])('%s', (_, timing, aliveMs, [shortest, longest]) => {
    expect(electionDelayMs(timing, aliveMs, LOWEST)).toBe(shortest)
    expect(electionDelayMs(timing, aliveMs, HIGHEST)).toBe(longest)
  })

  it('never comes before the lease has ended', () => {
    for (const aliveMs of range(1, 40).map((n) => n / 7)) {
      for (const drawn of range(0, 9)) {
        expect(electionDelayMs(DEFAULTS, aliveMs, drawn / 10)).toBeGreaterThanOrEqual(aliveMs)
      }
    }
  })
})

describe('the vote timer', () => {
  it('waits for timeout plus drift, and up to a bounded random part more', () => {
    expect(voteDelayMs(DEFAULTS, LOWEST)).toBe(2000)
    expect(voteDelayMs(DEFAULTS, HIGHEST)).toBe(3000)
    expect(voteDelayMs({ ...DEFAULTS, maxElectionDelayMs: 9000 }, HIGHEST)).toBe(4000)
  })
})

it('whole milliseconds are drawn evenly', () => {
  const timing = { ...DEFAULTS, maxElectionDelayMs: 3 }
  const counts = new Map<number, number>()
  for (const n of range(0, 399)) {
    const delay = electionDelayMs(timing, 0, n / 400)
    counts.set(delay, (counts.get(delay) ?? 0) + 1)
  }
  expect([...counts]).toEqual([
    [1000, 100],
    [1001, 100],
    [1002, 100],
    [1003, 100],
  ])
})

describe('the timeout set anew', () => {
  const TIMING = { electionTimeoutMs: 500, maxClockDriftMs: 100 }

  it.each([
    [50, { electionTimeoutMs: 50, maxClockDriftMs: 550 }],
    [500, TIMING],
    [600, { electionTimeoutMs: 600, maxClockDriftMs: 0 }],
    [601, null],
    [9, null],
    [50.5, null],
    [Number.NaN, null],
  ])('to %d ms keeps the sum that others rely on', (timeoutMs, expected) => {
    expect(retimed(TIMING, timeoutMs)).toEqual(expected)
  })
})
