// Giving way: a returning follower is sent what it missed as fast as the others can bear.

import { describe, expect, it } from 'vitest'
import {
  type Burst,
  FIRST_PACE,
  FIRST_PIECES_PACE,
  mayGoOn,
  type Pace,
  type PiecesPace,
  paceAfter,
  piecesPaceAfter,
} from '../../src/rules/pacing.ts'

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

describe('after a burst of pieces that took 10 ms', () => {
  const paceIn = (pausePerBurst: number, over: Partial<Burst>, maxPauseMs = 500): PiecesPace =>
    piecesPaceAfter({ ...FIRST_PIECES_PACE, pausePerBurst }, burst(over), maxPauseMs)

  it.each([
    ['half as much way again when others suffer', 2, { slowdown: 1.9 }, 3],
    ['some way when they begin to suffer', 0, { slowdown: 1.9 }, 0.1],
    ['no more than four times as long as the pieces', 3, { slowdown: 50 }, 4],
    ['as much while it is between the two', 2, { slowdown: 1.8 }, 2],
    ['a little less when they do not suffer', 2, { slowdown: 1.5 }, 1.9],
    ['none at last', 0.05, { slowdown: 1 }, 0],
  ])('others are given %s', (_, before, over, expected) => {
    const { pausePerBurst, pauseMs } = paceIn(before, over)
    expect([pausePerBurst, pauseMs]).toEqual([expect.closeTo(expected), expect.closeTo(10 * expected)])
  })

  it('pieces go on at once when nobody writes', () => {
    expect(paceIn(2, { othersWrote: false, slowdown: 9 })).toMatchObject({ pausePerBurst: 1.9, pauseMs: 0 })
  })

  it('others are given enough to see how fast they are alone, when that is not known', () => {
    expect(paceIn(0, { slowdown: null })).toMatchObject({ pausePerBurst: 0, pauseMs: 50 })
  })

  it('that is looked at again now and then', () => {
    let pace = FIRST_PIECES_PACE
    const pauses = Array.from({ length: 128 }, () => {
      pace = piecesPaceAfter(pace, burst({ slowdown: 1 }), 500)
      return pace.pauseMs
    })
    expect(pauses.flatMap((pauseMs, at) => (pauseMs > 0 ? [[at, pauseMs]] : []))).toEqual([
      [63, 50],
      [127, 50],
    ])
  })

  it.each([
    ['a tenth of a second', { tookMs: 5000, slowdown: 9 }, 500, 100],
    ['what the one who waits for a piece has patience for', { tookMs: 5000, slowdown: 9 }, 30, 30],
    ['nothing, when the clock went back', { tookMs: -5 }, 500, 0],
  ])('the pause is at most %s', (_, over, maxPauseMs, expected) => {
    expect(paceIn(1, over, maxPauseMs).pauseMs).toBe(expected)
  })
})
