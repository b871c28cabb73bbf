import { describe, expect, it } from 'vitest'
import { EventKind, Scheduler } from '../../../src/simulation/time/scheduler.ts'
import { streamOf } from '../../../src/simulation/time/sim-random.ts'

const newScheduler = (seed = 1, maxEventsPerInstant?: number): Scheduler =>
  new Scheduler({
    random: streamOf(seed, 'scheduler'),
    ...(maxEventsPerInstant === undefined ? {} : { maxEventsPerInstant }),
  })

describe('virtual time', () => {
  it('runs events in order of time and stands at the time of each', () => {
    const scheduler = newScheduler()
    const seen: [string, number][] = []
    for (const [name, delayMs] of [
      ['c', 30],
      ['a', 10],
      ['b', 20.5],
    ] as const) {
      scheduler.schedule(delayMs, EventKind.TIMER, () => seen.push([name, scheduler.nowMs]))
    }
    scheduler.runUntil(25)
    expect(seen).toEqual([
      ['a', 10],
      ['b', 20.5],
    ])
    expect(scheduler.nowMs).toBe(25)
    scheduler.runUntil(100)
    expect(seen.at(-1)).toEqual(['c', 30])
    expect(scheduler.counts()).toMatchObject({ timer: 3, message: 0 })
    expect(scheduler.executed).toBe(3)
  })

  it('orders events of one instant by the seed, and by it alone', () => {
    const orderOf = (seed: number): string => {
      const scheduler = newScheduler(seed)
      let order = ''
      for (const name of 'abcdefgh') scheduler.schedule(5, EventKind.OTHER, () => (order += name))
      scheduler.runUntil(5)
      return order
    }
    expect(orderOf(3)).toBe(orderOf(3))
    expect(new Set(Array.from({ length: 20 }, (_, seed) => orderOf(seed))).size).toBeGreaterThan(15)
  })

  it('forgets canceled events, also many of them', () => {
    const scheduler = newScheduler()
    let ran = 0
    const events = Array.from({ length: 10_000 }, (_, i) =>
      scheduler.schedule(1 + (i % 97), EventKind.TIMER, () => ran++),
    )
    events.forEach((event, i) => {
      if (i % 10 !== 0) scheduler.cancel(event)
      if (i % 10 === 1) scheduler.cancel(event)
    })
    expect(scheduler.pending).toBe(1000)
    scheduler.runUntil(200)
    expect(ran).toBe(1000)
    expect(scheduler.pending).toBe(0)
    expect(scheduler.step()).toBe(false)
  })

  it('behaves like a sorted list under random use', () => {
    const random = streamOf(9, 'use')
    const scheduler = newScheduler()
    const expected: number[] = []
    const seen: number[] = []
    for (let i = 0; i < 3000; i++) {
      const atMs = Math.floor(random.next() * 4000)
      const event = scheduler.scheduleAt(atMs, EventKind.OTHER, () => seen.push(atMs))
      if (random.next() < 0.3) scheduler.cancel(event)
      else expected.push(atMs)
    }
    scheduler.runUntil(5000)
    expect(seen).toEqual(expected.sort((a, b) => a - b))
  })

  it('ends a run in which time stands still', () => {
    const scheduler = newScheduler(1, 1000)
    const again = (): void => void scheduler.schedule(0, EventKind.DEFER, again)
    again()
    expect(() => scheduler.runUntil(1)).toThrow('Virtual time stands still at 0 ms')
  })
})
