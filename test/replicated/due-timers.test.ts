// The timers of all instances at the leader: what is canceled does not stay for as long as it would have waited.

import { expect, it } from 'vitest'
import { type DueTimer, DueTimers } from '../../src/replicated/due-timers.ts'
import { HandClock } from './support/group.ts'

const DAY_MS = 24 * 60 * 60 * 1000

it('those that were canceled leave, and the others fire in their turn, each once', async () => {
  const clock = new HandClock()
  const wanted = new Map<string, DueTimer>()
  const fired: string[] = []
  const timers = new DueTimers({
    clock,
    nowMs: () => clock.nowMs(),
    due: ({ id }) => wanted.has(id) && fired.push(id),
    isWanted: ({ id }) => wanted.has(id),
  })
  // As with time-outs of a day that are canceled soon: every hundredth is left, and is due the sooner the later it came.
  for (let i = 0; i < 50_000; i += 1) {
    const timer = { key: 'x', id: `${i}`, armedAt: i, dueAtMs: DAY_MS - i }
    if (i % 100 === 0) wanted.set(timer.id, timer)
    timers.add(timer)
  }
  expect(timers.size).toBeLessThanOrEqual(2048)
  await clock.advance(DAY_MS)
  expect(fired).toEqual([...wanted.keys()].reverse())
  expect(timers.size).toBe(0)
})
