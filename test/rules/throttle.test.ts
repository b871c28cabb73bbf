// Budgets per window: braft's TH-01 and TH-02.

import { describe, expect, it } from 'vitest'
import {
  giveBackBytes,
  grantBytes,
  type ThrottleWindow,
  untilNextWindowMs,
} from '../../src/rules/throttle.ts'

const MB = 1024 * 1024

/** A throttle that remembers. */
function throttle(bytesPerSecond: number) {
  let window: ThrottleWindow = { startMs: Number.NEGATIVE_INFINITY, usedBytes: 0 }
  return {
    take(nowMs: number, bytes: number): number {
      const grant = grantBytes(window, bytesPerSecond, nowMs, bytes)
      window = grant.window
      return grant.bytes
    },
    giveBack(grantedMs: number, bytes: number): void {
      window = giveBackBytes(window, grantedMs, bytes)
    },
  }
}

describe('TH-01: the arithmetic of windows', () => {
  it('1,024 bytes a second are 128 in each of 8 windows', () => {
    const { take } = throttle(1024)
    expect([64, 64, 64].map((bytes) => take(1000, bytes))).toEqual([64, 64, 0])
    expect([64, 63, 63, 63].map((bytes) => take(1125, bytes))).toEqual([64, 63, 1, 0])
  })

  it('never stands still altogether, however small the budget', () => {
    const { take } = throttle(1)
    expect([take(0, 9), take(124, 9), take(125, 9)]).toEqual([1, 0, 1])
  })
})

describe('TH-02: a throttle at work', () => {
  it('grants what a window has, and starts fresh with the next one', () => {
    const { take } = throttle(24 * MB)
    expect([MB, 2 * MB, MB].map((bytes) => take(1000, bytes))).toEqual([MB, 2 * MB, 0])
    expect([MB, 3 * MB].map((bytes) => take(1125, bytes))).toEqual([MB, 2 * MB])
  })

  it('begins its windows at multiples of their length', () => {
    const { take } = throttle(8 * 100)
    expect(take(1124, 100)).toBe(100)
    expect(take(1124.9, 1)).toBe(0)
    expect(take(1125, 100)).toBe(100)
    expect([1000, 1001, 1124.5].map(untilNextWindowMs)).toEqual([125, 124, 1])
  })

  it('takes back what was not needed in this window, and nothing of an earlier one', () => {
    const { take, giveBack } = throttle(8 * 100)
    expect(take(1000, 100)).toBe(100)
    giveBack(1000, 40)
    expect(take(1050, 100)).toBe(40)
    expect(take(1125, 30)).toBe(30)
    giveBack(1050, 60)
    expect(take(1130, 100)).toBe(70)
  })

  it('stays within ten percent of its limit over two seconds, with ten consumers', () => {
    const { take } = throttle(30 * MB)
    let granted = 0
    for (let nowMs = 10_000; nowMs < 12_000; nowMs += 5)
      for (let consumer = 0; consumer < 10; consumer++) granted += take(nowMs, 256 * 1024)
    expect(Math.abs(granted / (60 * MB) - 1)).toBeLessThan(0.1)
  })
})
