// Whether a process is on the bus at all: asked when it is late, once for all groups, and answered by the bus.

import { describe, expect, it } from 'vitest'
import type { PresenceHandle } from '../../../src/transport/rpc/peer-rpc.ts'
import { ask, bench } from '../support/endpoints.ts'
import type { ManualClock } from '../support/manual-clock.ts'

const BEAT = 100

/** Millisecond by millisecond, so that timers which others have armed come as well. */
function pass(clock: ManualClock, ms: number): void {
  for (let i = 0; i < ms; i++) clock.advance(1)
}

/** @param isSpied somebody else hears the questions, whom the bus takes for somebody who listens */
function watching({ isSpied }: { isSpied: boolean }) {
  const world = bench()
  const asked: string[] = []
  const note = ({ subject }: { subject: string }): void => void asked.push(subject)
  if (isSpied) world.bus.connect('spy').subscribe('quorate.*.*.rpc.n1.presence', note)
  const lost: string[] = []
  const watch = (to = 'n2', group = 'g'): PresenceHandle =>
    world.n1.rpc.watchPresence(to, {
      group,
      heartbeatMs: () => BEAT,
      wordMs: () => BEAT,
      absent: () => void lost.push(`${group} ${to}`),
    })
  return { ...world, asked, lost, watch }
}

const alone = () => watching({ isSpied: false })

describe('a process that is watched', () => {
  it('is not asked about while it is heard', () => {
    const { clock, n1, n2, asked, watch } = watching({ isSpied: true })
    watch()
    n2.rpc.serve('g', (_, reply) => reply({ ok: true, response: { term: 1, index: 1 } }))
    for (let i = 0; i < 10; i++) {
      ask(n1.rpc)
      pass(clock, BEAT)
    }
    expect(asked).toEqual([])
  })

  it('is asked about when it is late, and answers though it carries no such group', () => {
    const { clock, asked, lost, watch, reasons } = watching({ isSpied: true })
    const handle = watch()
    pass(clock, 119)
    expect(asked).toEqual([])
    pass(clock, 2)
    expect(asked).toEqual(['quorate.g.n2.rpc.n1.presence'])
    pass(clock, 1000)
    expect(asked.length).toBeLessThanOrEqual(10)
    expect([handle.isAbsent, lost, reasons()]).toEqual([false, [], []])
  })

  it('is known to be gone when the bus has said twice that nobody listens, and every group that follows it is told once', () => {
    const { clock, n2, lost, watch } = alone()
    const handle = watch('n2', 'g')
    watch('n2', 'h')
    watch('n1', 'h')
    n2.rpc.close()
    pass(clock, 121)
    expect([handle.isAbsent, lost]).toEqual([false, []])
    pass(clock, 52)
    expect([handle.isAbsent, lost]).toEqual([true, ['g n2', 'h n2']])
    pass(clock, 2000)
    expect(lost).toEqual(['g n2', 'h n2'])
  })

  it('is there again when it comes back, and can be lost again', () => {
    const { clock, n2, host, lost, watch } = alone()
    const handle = watch()
    n2.rpc.close()
    pass(clock, 200)
    expect(handle.isAbsent).toBe(true)
    const back = host('n2')
    pass(clock, 200)
    expect(handle.isAbsent).toBe(false)
    back.rpc.close()
    pass(clock, 300)
    expect(lost).toEqual(['g n2', 'g n2'])
  })

  it('is not judged by a member whose own connection has just come back', () => {
    const { clock, n1, n2, lost, watch } = alone()
    watch()
    n1.transport.disconnect()
    pass(clock, 50)
    n1.transport.reconnect()
    n2.rpc.close()
    pass(clock, 2000)
    expect(lost).toEqual([])
  })

  it('is asked about early when somebody else misses it', () => {
    const { clock, asked, watch } = watching({ isSpied: true })
    const handle = watch()
    pass(clock, 40)
    handle.askNow()
    pass(clock, 1)
    expect(asked).toEqual([])
    pass(clock, 20)
    handle.askNow()
    handle.askNow()
    pass(clock, 1)
    expect(asked).toHaveLength(1)
  })

  it('leaves no timer when nobody watches it any more, or the endpoint is closed', () => {
    const { clock, n1, watch } = alone()
    const before = clock.timers
    const [first, second] = [watch(), watch('n2', 'h')]
    first.stop()
    expect(clock.timers).toBe(before + 1)
    second.stop()
    second.stop()
    expect(clock.timers).toBe(before)
    watch()
    n1.rpc.close()
    pass(clock, 1000)
    expect(clock.timers).toBe(before)
  })

  it('who throws when it is told keeps nobody else from being told', () => {
    const { clock, n1, n2, lost, watch, logger } = alone()
    const absent = (): void => {
      throw new Error('odd')
    }
    n1.rpc.watchPresence('n2', { group: 'f', heartbeatMs: () => BEAT, wordMs: () => BEAT, absent })
    watch()
    n2.rpc.close()
    pass(clock, 300)
    expect(lost).toEqual(['g n2'])
    expect(logger.lines.filter(({ message }) => message === 'Who watches a process threw.')).toHaveLength(1)
  })
})
