// Pieces of snapshots leave in bursts and give way to commits: how many at once, what waits for what, and what becomes of
// those who wait.

import { describe, expect, it } from 'vitest'
import { PiecePacer } from '../../../src/actors/snapshot/piece-pacer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const PIECE = 256 * 1024

/** A leader whose commits take 10 ms alone, and `slowMs` beside pieces. */
function rig() {
  const clock = new VirtualClock()
  const log = { lastIndex: 0 }
  const world = { clock, log, commitIndex: 0, tuning: { appendTimeoutMs: 2000 } }
  const pacer = new PiecePacer(world)
  const served: string[] = []
  const ask = (name: string, bytes = PIECE): boolean =>
    pacer.request(() => {
      served.push(name)
      return bytes
    })
  /** An entry is written and committed after so long. */
  const commit = (tookMs: number): void => {
    log.lastIndex++
    pacer.look()
    clock.advance(tookMs)
    world.commitIndex = log.lastIndex
    pacer.look()
  }
  return { clock, log, pacer, served, ask, commit }
}

describe('pieces', () => {
  it('are served two at a time, the next when those have been answered', () => {
    const { pacer, served, ask } = rig()
    for (const name of ['a', 'b', 'c', 'd']) ask(name)
    expect(served).toEqual(['a', 'b'])
    pacer.answered()
    expect(served).toEqual(['a', 'b'])
    pacer.answered()
    expect(served).toEqual(['a', 'b', 'c', 'd'])
  })

  it('wait for the one who got the last ones to ask again, when others write', () => {
    const { pacer, served, ask, commit } = rig()
    for (const name of ['a', 'b', 'c']) ask(name)
    commit(1)
    pacer.answered()
    pacer.answered()
    expect(served).toEqual(['a', 'b'])
  })

  it('give others a while to show how fast they are alone', () => {
    const { pacer, served, ask, commit, clock } = rig()
    for (const name of ['a', 'b', 'c']) ask(name)
    commit(1)
    pacer.answered()
    pacer.answered()
    ask('d')
    clock.advance(49)
    expect(served).toEqual(['a', 'b'])
    clock.advance(1)
    expect(served).toEqual(['a', 'b', 'c', 'd'])
  })

  it('go on without the one who does not ask again', () => {
    const { pacer, served, ask, commit, clock } = rig()
    for (const name of ['a', 'b', 'c']) ask(name)
    commit(1)
    pacer.answered()
    pacer.answered()
    clock.advance(20 + 50)
    expect(served).toEqual(['a', 'b', 'c'])
  })

  it.each([
    ['do not pause when commits do not suffer', 10, 0],
    ['pause for up to four times as long as they take when commits suffer', 40, 4],
  ])('%s', (_, slowMs, pausePerBurst) => {
    const { pacer, served, ask, commit, clock } = rig()
    let tookMs = 0
    let pausedMs = 0
    for (let burst = 0; burst < 40; burst++) {
      commit(10)
      const before = clock.nowMs()
      ask('one')
      ask('two')
      commit(slowMs)
      tookMs = clock.nowMs() - before
      pacer.answered()
      pacer.answered()
      const { length } = served
      ask('next')
      const endedMs = clock.nowMs()
      while (served.length === length) clock.advance(1)
      pausedMs = clock.nowMs() - endedMs
      commit(slowMs)
      pacer.answered()
      clock.advance(200)
    }
    expect(pausedMs).toBe(Math.min(100, tookMs * pausePerBurst))
  })

  it('that were refused count for nothing', () => {
    const { pacer, served, ask } = rig()
    ask('refused', 0)
    for (const name of ['a', 'b', 'c']) ask(name)
    expect(served).toEqual(['refused', 'a', 'b'])
    pacer.answered()
    pacer.answered()
    expect(served).toEqual(['refused', 'a', 'b', 'c'])
  })

  it('wait sixteen at a time: more are sent away', () => {
    const { pacer, served, ask } = rig()
    ask('a')
    ask('b')
    const taken = Array.from({ length: 20 }, (_, at) => ask(String(at)))
    expect(taken.filter(Boolean)).toHaveLength(16)
    expect(served).toHaveLength(2)
    pacer.answered()
    pacer.answered()
    expect(served).toHaveLength(4)
  })

  it('of a service that ends are not served, and nothing is left running', () => {
    const { pacer, served, ask, commit, clock } = rig()
    for (const name of ['a', 'b', 'c']) ask(name)
    commit(1)
    pacer.answered()
    pacer.answered()
    pacer.close()
    pacer.answered()
    expect(clock.pendingTimers).toBe(0)
    clock.advance(1000)
    expect(served).toEqual(['a', 'b'])
  })
})
