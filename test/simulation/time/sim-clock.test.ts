import { describe, expect, it } from 'vitest'
import { EventKind } from '../../../src/simulation/time/scheduler.ts'
import { between, streamOf } from '../../../src/simulation/time/sim-random.ts'
import { World } from '../support/world.ts'

describe('timers', () => {
  it('fire exactly when due on the local clock, whatever its rate', () => {
    for (const rate of [1, 0.9, 1.1, 1.0001, 3]) {
      const world = new World()
      const { clock } = world.clock('A', { rate, originMs: 12_345.678 })
      const startMs = clock.nowMs()
      let firedAtMs = 0
      clock.setTimeout(() => {
        firedAtMs = clock.nowMs()
      }, 100)
      world.run(200)
      expect(firedAtMs - startMs).toBeGreaterThanOrEqual(100)
      expect(firedAtMs - startMs).toBeLessThan(100.01)
    }
  })

  it('are due when they fire, for any rate and delay', () => {
    const random = streamOf(3, 'rates')
    for (let i = 0; i < 3000; i++) {
      const world = new World(i)
      const { clock } = world.clock('A', { rate: between(random, 0.5, 2) })
      const delayMs = between(random, 0, 50)
      const startMs = clock.nowMs()
      world.run(between(random, 0, 3))
      clock.setRate(between(random, 0.5, 2))
      const setAtMs = clock.nowMs()
      let firedAtMs = 0
      clock.setTimeout(() => {
        firedAtMs = clock.nowMs()
        expect(clock.nowMs()).toBe(firedAtMs)
      }, delayMs)
      world.run(200)
      expect(firedAtMs).toBeGreaterThanOrEqual(setAtMs + delayMs)
      expect(clock.nowMs()).toBeGreaterThanOrEqual(firedAtMs)
      expect(setAtMs).toBeGreaterThanOrEqual(startMs)
    }
  })

  it('may come late and never early', () => {
    const world = new World()
    const { clock } = world.clock('A', {
      timerLag: { shape: 'exponential', minMs: 0, meanMs: 10, maxMs: 50 },
    })
    const startMs = clock.nowMs()
    const lateMs: number[] = []
    for (let i = 0; i < 200; i++) clock.setTimeout(() => lateMs.push(clock.nowMs() - startMs - 20), 20)
    world.run(100)
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...lateMs)).toBeGreaterThan(10)
  })

  it('follow a change of rate', () => {
    const world = new World()
    const { clock } = world.clock('A', { originMs: 0 })
    let firedAtMs = 0
    clock.setTimeout(() => {
      firedAtMs = world.scheduler.nowMs
    }, 100)
    world.run(50)
    clock.setRate(0.5)
    world.run(1000)
    expect(firedAtMs).toBe(150)
  })

  it('are gone once cleared; clearing twice or late is harmless', () => {
    const world = new World()
    const { clock } = world.clock('A')
    let fired = 0
    const timer = clock.setTimeout(() => fired++, 10)
    const other = clock.setTimeout(() => fired++, 10)
    clock.clearTimeout(timer)
    clock.clearTimeout(timer)
    clock.clearTimeout(undefined)
    world.run(20)
    clock.clearTimeout(other)
    expect(fired).toBe(1)
    expect(clock.pendingTimers).toBe(0)
  })
})

it('the monotonic clock never goes back, the wall clock does as it likes', () => {
  const world = new World()
  const { clock } = world.clock('A')
  let lastMs = clock.nowMs()
  for (const rate of [1, 0.2, 5, 0.01, 1]) {
    clock.setRate(rate)
    world.run(7.3)
    expect(clock.nowMs()).toBeGreaterThanOrEqual(lastMs)
    lastMs = clock.nowMs()
  }
  const wallMs = clock.wallMs()
  clock.jumpWall(-86_400_000)
  expect(clock.wallMs()).toBe(wallMs - 86_400_000)
  expect(clock.nowMs()).toBe(lastMs)
})

describe('deferred calls', () => {
  it('run first in, first out, each as an event of its own, never inside the call', () => {
    const world = new World()
    const { clock } = world.clock('A', { deferLag: { shape: 'uniform', minMs: 0, maxMs: 5 } })
    const seen: number[] = []
    for (let i = 0; i < 50; i++) clock.defer(() => seen.push(i))
    expect(seen).toEqual([])
    world.run(10)
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(world.scheduler.counts().defer).toBe(50)
  })
})

describe('a paused process', () => {
  it('does nothing, and on resume gets its overdue timers and its backlog in drawn order', () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const world = new World(seed)
      const { process, clock } = world.clock('A')
      const lane = { name: 'messages' }
      let order = ''
      clock.setTimeout(() => (order += 'T'), 10)
      process.pause()
      for (const name of 'abc') {
        world.scheduler.schedule(20, EventKind.MESSAGE, () => {})
        world.run(5)
        process.turn(lane, () => (order += name))
      }
      world.run(100)
      expect(order).toBe('')
      process.resume()
      process.turn(lane, () => (order += 'd'))
      world.run(1)
      expect(order.replace('T', '')).toBe('abcd')
      orders.add(order)
    }
    expect(orders).toContain('Tabcd')
    expect([...orders].some((order) => order.startsWith('abc'))).toBe(true)
  })

  it('forgets a timer that is cleared after the resume and before its turn', () => {
    const world = new World()
    const { process, clock } = world.clock('A')
    let fired = false
    const timer = clock.setTimeout(() => {
      fired = true
    }, 1)
    process.pause()
    world.run(10)
    process.resume()
    clock.clearTimeout(timer)
    world.run(10)
    expect(fired).toBe(false)
  })
})

it('a killed process never runs again, and its timers are gone from the queue', () => {
  const world = new World()
  const { process, clock } = world.clock('A')
  const fail = (): void => expect.unreachable('a dead process ran')
  clock.setTimeout(fail, 10)
  clock.defer(fail)
  process.pause()
  process.turn(null, fail)
  process.kill('crash')
  process.resume()
  process.turn(null, fail)
  clock.setTimeout(fail, 10)
  clock.defer(fail)
  world.run(100)
  expect(clock.pendingTimers).toBe(0)
  expect(world.scheduler.pending).toBe(0)
})

describe('a clock at which each look is later', () => {
  it('shows two times to who looks twice in one turn, and one to who looks from outside', () => {
    const world = new World()
    const { process, clock } = world.clock('A', { originMs: 0, lookMs: 2 })
    let looks: number[] = []
    process.turn(null, () => {
      looks = [clock.nowMs(), clock.nowMs(), clock.nowMs()]
    })
    expect(looks).toEqual([2, 4, 6])
    world.run(10)
    expect([clock.nowMs(), clock.nowMs()]).toEqual([10, 10])
  })

  it('makes its turn long: what comes meanwhile waits, and what is sent in it leaves late', () => {
    const world = new World()
    const { process, clock } = world.clock('A', { originMs: 0, lookMs: 5 })
    const { clock: other } = world.clock('B', { originMs: 0 })
    const seen: string[] = []
    const see = (what: string) => (): void => void seen.push(`${what} at ${world.scheduler.nowMs}`)
    world.scheduler.schedule(1, EventKind.OTHER, () =>
      process.turn(null, () => {
        clock.nowMs()
        clock.nowMs()
        world.scheduler.schedule(1, EventKind.MESSAGE, see('sent'))
        seen.push(`others see ${other.nowMs()}`)
      }),
    )
    world.scheduler.schedule(3, EventKind.MESSAGE, () => process.turn(null, see('got')))
    world.run(50)
    expect(seen).toEqual(['others see 1', 'got at 11', 'sent at 12'])
  })

  it('lets nobody run in the middle of a long turn of somebody else', () => {
    const world = new World()
    const { process, clock } = world.clock('A', { originMs: 0, lookMs: 5 })
    const other = world.process('B')
    const seen: number[] = []
    world.scheduler.schedule(1, EventKind.OTHER, () =>
      process.turn(null, () => {
        clock.nowMs()
        other.turn(null, () => seen.push(world.scheduler.nowMs))
        seen.push(0)
      }),
    )
    world.run(50)
    expect(seen).toEqual([0, 6])
  })

  it('goes on after a pause, and forgets with its process what waited', () => {
    const world = new World()
    const { process, clock } = world.clock('A', { originMs: 0, lookMs: 5 })
    const seen: number[] = []
    const look = (): void => void seen.push(clock.nowMs())
    process.turn(null, look)
    process.turn(null, look)
    process.pause()
    world.run(20)
    process.resume()
    world.run(20)
    expect(seen).toEqual([5, 25])
    process.turn(null, look)
    process.turn(null, look)
    process.kill('crash')
    world.run(20)
    expect(seen).toHaveLength(3)
  })
})
