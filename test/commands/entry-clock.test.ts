// The time of a group: it goes on from leader to leader, never back and never ahead of what has gone by.

import { expect, test } from 'vitest'
import { EntryClock } from '../../src/commands/entry-clock.ts'

function member({ nowMs, wallMs }: { nowMs: number; wallMs: number }) {
  const world = { monotonicMs: nowMs, offMs: wallMs - nowMs }
  const clock = new EntryClock({
    nowMs: () => world.monotonicMs,
    wallMs: () => world.monotonicMs + world.offMs,
  })
  return Object.assign(clock, { pass: (ms: number) => (world.monotonicMs += ms) })
}

test('the first leader of all begins with the clock on its wall, and goes on by its monotonic one', () => {
  const leader = member({ nowMs: 5, wallMs: 1_000_000 })
  expect(leader.nowMs()).toBe(1_000_000)
  leader.pass(250)
  expect(leader.nowMs()).toBe(1_000_250)
})

test('whoever takes over goes on from what came by, by what has gone by since, whatever its wall says', () => {
  for (const wallMs of [0, 2_000_000]) {
    const follower = member({ nowMs: 70, wallMs })
    follower.note(1_000_000, true)
    follower.pass(500)
    expect(follower.nowMs()).toBe(1_000_500)
  }
})

test('an entry that was long under way holds nobody back: the one that was fastest counts', () => {
  const follower = member({ nowMs: 0, wallMs: 0 })
  follower.note(1_000_000, true)
  follower.pass(300)
  follower.note(1_000_010, true)
  expect(follower.nowMs()).toBe(1_000_300)
})

test('what was in the log at the start says nothing about the time that it lay there', () => {
  const restarted = member({ nowMs: 0, wallMs: 1_900_000 })
  restarted.note(1_000_000, false)
  expect(restarted.nowMs()).toBe(1_900_000)
})

test('it never goes back behind an entry, when the wall is behind', () => {
  const restarted = member({ nowMs: 0, wallMs: 500 })
  restarted.note(1_000_000, false)
  expect(restarted.nowMs()).toBe(1_000_000)
  restarted.pass(10)
  expect(restarted.nowMs()).toBe(1_000_010)
})

test('what has come and is not committed yet counts as well: the time until it is applied is not lost', () => {
  const follower = member({ nowMs: 0, wallMs: 0 })
  follower.hear(1_000_000)
  follower.pass(300)
  follower.note(1_000_000, true)
  expect(follower.nowMs()).toBe(1_000_300)
})

test('what comes late, as old entries do, holds nobody back', () => {
  const follower = member({ nowMs: 0, wallMs: 0 })
  follower.note(1_000_000, true)
  follower.hear(500_000)
  expect(follower.nowMs()).toBe(1_000_000)
})
