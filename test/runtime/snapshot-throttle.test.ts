// One throttle for all groups of a process (scenarios SN-08 to SN-10).

import { describe, expect, it } from 'vitest'
import { SnapshotThrottle } from '../../src/runtime/snapshot-throttle.ts'

const at = (nowMs: number) => ({ nowMs: () => nowMs })

describe('a throttle', () => {
  it('SN-08, SN-09: lets everything through unless it was given a limit', () => {
    const throttle = new SnapshotThrottle(at(0))
    expect([throttle.reading.take(1e12), throttle.writing.take(1e12)]).toEqual([1e12, 1e12])
  })

  it('counts reading for others and writing for oneself apart', () => {
    const throttle = new SnapshotThrottle(at(0), { bytesPerSecond: 800, maxInstallations: 1 })
    expect([throttle.reading.take(150), throttle.reading.take(1), throttle.writing.take(150)]).toEqual([
      100, 0, 100,
    ])
    throttle.reading.giveBack(0, 30)
    expect([throttle.reading.take(99), throttle.reading.retryMs]).toEqual([30, 125])
  })

  it('SN-10: can be given more while it works', () => {
    const throttle = new SnapshotThrottle(at(0), { bytesPerSecond: 800, maxInstallations: 1 })
    throttle.begin()
    expect([throttle.writing.take(500), throttle.hasRoom]).toEqual([100, false])
    throttle.limits = { bytesPerSecond: 8000, maxInstallations: 2 }
    expect([throttle.writing.take(5000), throttle.hasRoom]).toEqual([900, true])
    throttle.begin()
    expect(throttle.hasRoom).toBe(false)
    throttle.end()
    expect(throttle.hasRoom).toBe(true)
  })
})
