// Giving way: a returning follower is sent what it missed as fast as the others can bear.

import { describe, expect, it } from 'vitest'
import { type Burst, FIRST_PACE, mayGoOn, type Pace, paceAfter } from '../../src/rules/pacing.ts'

const KIB = 1024
const MAX = 4096 * KIB
const burst = (over: Partial<Burst>): Burst => ({
  bytes: 512 * KIB,
  tookMs: 10,
  othersWrote: true,
  slowdown: 1.5,
  ...over,
})
const pace = (windowBytes: number): Pace => ({ windowBytes, pauseMs: 0 })

describe('the next burst', () => {
  it.each([
    ['is larger when others bore this one', { slowdown: 2 }, 576],
    ['is as large when they barely did', { slowdown: 2.5 }, 512],
    ['is half as large when they did not', { slowdown: 3.5 }, 256],
    ['is as large while it is not known', { slowdown: null }, 512],
    ['is as large when this one was not full: nothing was learned', { slowdown: 1, bytes: 100 * KIB }, 512],
    ['is larger when nobody writes', { othersWrote: false, slowdown: 9 }, 576],
  ])('%s', (_, over, expected) => {
    expect(paceAfter(pace(512 * KIB), burst(over), MAX).windowBytes).toBe(expected * KIB)
  })

  it('stays within bounds, whatever happens', () => {
    let now = FIRST_PACE
    for (const slowdown of [...Array<number>(100).fill(1), ...Array<number>(100).fill(9)]) {
      now = paceAfter(now, burst({ slowdown, bytes: MAX }), MAX)
      expect(now.windowBytes).toBeGreaterThanOrEqual(64 * KIB)
      expect(now.windowBytes).toBeLessThanOrEqual(MAX)
    }
    expect(now.windowBytes).toBe(64 * KIB)
    expect(paceAfter(now, burst({ slowdown: 1 }), 1).windowBytes).toBe(64 * KIB)
  })
})

describe('after a burst of 10 ms', () => {
  it.each([
    ['others have the way for a quarter of it when they are half as fast', { slowdown: 2 }, 2.5],
    ['and no longer when they suffer more', { slowdown: 50 }, 2.5],
    ['shorter when they suffer less', { slowdown: 1.4 }, 1],
    ['for a moment when they do not suffer, so that this is noticed when it changes', { slowdown: 0.5 }, 0.5],
    ['for a quarter of it while it is not known', { slowdown: null }, 2.5],
    ['not at all when nobody writes', { othersWrote: false, slowdown: null }, 0],
    ['not at all when the way there and back is all that it took', { tookMs: -0.2 }, 0],
    ['never for longer than a tenth of a second', { tookMs: 5000 }, 100],
  ])('%s', (_, over, expected) => {
    expect(paceAfter(FIRST_PACE, burst(over), MAX).pauseMs).toBeCloseTo(expected)
  })
})

describe('within a burst', () => {
  it.each([
    [0, true],
    [1, true],
    [99, true],
    [100, false],
    [101, false],
  ])('of 100 bytes %i may be followed by more: %s', (inBurst, expected) => {
    expect(mayGoOn(pace(100), { inBurst, inTurn: inBurst })).toBe(expected)
  })

  it.each([
    [0, true],
    [256 * KIB - 1, true],
    [256 * KIB, false],
  ])('%i bytes in this turn may be followed by more in it: %s', (inTurn, expected) => {
    expect(mayGoOn(pace(MAX), { inBurst: inTurn, inTurn })).toBe(expected)
  })

  it('one frame may always go, or an entry larger than the window would stop replication for good', () => {
    expect(mayGoOn(pace(0), { inBurst: 0, inTurn: 0 })).toBe(true)
  })
})
