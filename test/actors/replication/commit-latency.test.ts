// What a backlog costs others is measured on them: how long their entries take with it, and without.

import { describe, expect, it } from 'vitest'
import { CommitLatency } from '../../../src/actors/replication/commit-latency.ts'

/** One entry after the other, each committed after `tookMs`. */
function measure(latency: CommitLatency, tookMs: number, disturbed: boolean, times: number): void {
  for (let i = 0; i < times; i++) {
    latency.look(1, 0, 0, disturbed)
    latency.look(1, 1, tookMs, disturbed)
  }
}

describe('the slowdown', () => {
  it('is unknown until entries were committed both with and without old ones on their way', () => {
    const latency = new CommitLatency()
    expect(latency.slowdown).toBeNull()
    measure(latency, 2, false, 1)
    expect(latency.slowdown).toBeNull()
    measure(latency, 6, true, 1)
    expect(latency.slowdown).toBe(3)
  })

  it('follows what changes', () => {
    const latency = new CommitLatency()
    measure(latency, 2, false, 1)
    measure(latency, 20, true, 1)
    measure(latency, 2, true, 100)
    expect(latency.slowdown).toBeCloseTo(1)
  })

  it('counts an entry as disturbed when old ones leave before it is committed', () => {
    const latency = new CommitLatency()
    measure(latency, 2, false, 1)
    latency.look(5, 4, 0, false)
    latency.disturb()
    latency.look(9, 5, 10, false)
    expect(latency.slowdown).toBe(5)
  })

  it('is not measured on entries that are committed already', () => {
    const latency = new CommitLatency()
    latency.look(5, 5, 0, true)
    latency.look(5, 5, 1000, true)
    measure(latency, 2, false, 1)
    expect(latency.slowdown).toBeNull()
  })
})
