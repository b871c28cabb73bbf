// The clock of one node: its timers die with it, what was deferred does not.

import { describe, expect, it } from 'vitest'
import { MortalClock } from '../../src/host/mortal-clock.ts'
import { VirtualClock } from '../actors/support/virtual-clock.ts'

function clocks() {
  const world = new VirtualClock()
  const fired: string[] = []
  return { world, fired, clock: new MortalClock(world), note: (word: string) => () => fired.push(word) }
}

describe('a clock that dies with its node', () => {
  it('fires its timers once, in order, until then', () => {
    const { world, fired, clock, note } = clocks()
    clock.setTimeout(note('b'), 20)
    clock.setTimeout(note('a'), 10)
    world.advance(100)
    expect(fired).toEqual(['a', 'b'])
  })

  it('forgets a timer that is cleared, and bears to be asked twice, or for what it never gave out', () => {
    const { world, fired, clock, note } = clocks()
    const timer = clock.setTimeout(note('a'), 10)
    clock.clearTimeout(timer)
    clock.clearTimeout(timer)
    for (const stranger of [undefined, null, 5, {}, 'timer']) clock.clearTimeout(stranger)
    expect(world.pendingTimers).toBe(0)
    world.advance(100)
    expect(fired).toEqual([])
  })

  it('does not fire a timer that is cleared in the turn in which it is due', () => {
    const { fired, note } = clocks()
    // A clock that fires what was cleared too late, as a real one may.
    const due: (() => void)[] = []
    const late = new VirtualClock()
    late.setTimeout = (run) => due.push(run)
    late.clearTimeout = () => {}
    const clock = new MortalClock(late)
    const timer = clock.setTimeout(note('a'), 10)
    clock.clearTimeout(timer)
    for (const run of due) run()
    expect(fired).toEqual([])
  })

  it('ends all of them, and takes no new ones, but does what was deferred', () => {
    const { world, fired, clock, note } = clocks()
    clock.setTimeout(note('timer'), 10)
    clock.defer(note('deferred'))
    clock.end()
    clock.setTimeout(note('late timer'), 10)
    clock.defer(note('deferred later'))
    expect(world.pendingTimers).toBe(0)
    world.advance(100)
    expect(fired).toEqual(['deferred', 'deferred later'])
  })

  it('shows the time of the world', () => {
    const { world, clock } = clocks()
    world.advance(5)
    expect([clock.nowMs(), clock.wallMs()]).toEqual([world.nowMs(), world.wallMs()])
  })
})
