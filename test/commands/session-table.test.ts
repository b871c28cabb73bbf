// The sessions of a group: their bounds, and what they keep.

import { describe, expect, test } from 'vitest'
import {
  MAX_RESULTS,
  MAX_SESSION_BYTES,
  MAX_SESSIONS,
  SessionTable,
} from '../../src/commands/session-table.ts'

const RESULT = Uint8Array.of(0x81, 0)
const mark = (session: number, sequence: number, acknowledged = 0) => ({ session, sequence, acknowledged })

/** Judges, and carries out what is new. */
function carryOut(table: SessionTable, at: ReturnType<typeof mark>, timeMs = 0, result = RESULT): string {
  const verdict = table.judge(at, timeMs)
  if (verdict === 'apply') table.keep(at, result)
  return verdict
}

describe('the table of sessions', () => {
  test('keeps results until their client says that it has them, though later ones came', () => {
    const table = new SessionTable()
    table.open(5, 60_000, 0)
    for (const sequence of [2, 3, 1]) expect(carryOut(table, mark(5, sequence))).toBe('apply')
    for (const sequence of [1, 2, 3]) expect(carryOut(table, mark(5, sequence))).toBe('repeat')
    expect(carryOut(table, mark(5, 4, 2))).toBe('apply')
    expect([1, 2, 3, 4].map((sequence) => carryOut(table, mark(5, sequence)))).toEqual([
      ...['stale', 'stale', 'repeat', 'repeat'],
    ])
    expect(carryOut(table, mark(5, 5, 9))).toBe('apply')
    expect(carryOut(table, mark(5, 5))).toBe('repeat')
  })

  test('forgets whoever was used longest ago when there are too many', () => {
    const table = new SessionTable()
    for (let id = 1; id <= MAX_SESSIONS; id += 1) table.open(id, 60_000, 0)
    expect(carryOut(table, mark(1, 1))).toBe('apply')
    table.open(MAX_SESSIONS + 1, 60_000, 0)
    expect(table.size).toBe(MAX_SESSIONS)
    expect(carryOut(table, mark(1, 2))).toBe('apply')
    expect(carryOut(table, mark(2, 1))).toBe('expired')
  })

  test('ends a session that leaves too much unacknowledged, and no other', () => {
    const table = new SessionTable()
    for (const id of [1, 2, 3]) table.open(id, 60_000, 0)
    for (let sequence = 1; sequence <= MAX_RESULTS + 1; sequence += 1) carryOut(table, mark(2, sequence))
    carryOut(table, mark(3, 1), 0, new Uint8Array(MAX_SESSION_BYTES))
    expect([1, 2, 3].map((id) => carryOut(table, mark(id, 9_000_000)))).toEqual([
      'apply',
      'expired',
      'expired',
    ])
  })

  test('forgets what stood idle for too long, by the time of the log', () => {
    const table = new SessionTable()
    table.open(1, 1000, 0)
    table.open(2, 5000, 0)
    expect(carryOut(table, mark(1, 1), 900)).toBe('apply')
    expect(carryOut(table, mark(1, 2), 1900)).toBe('apply')
    expect(carryOut(table, mark(1, 3), 2901)).toBe('expired')
    expect(carryOut(table, mark(2, 1), 2901)).toBe('apply')
    expect(table.size).toBe(1)
  })

  test('is the same after it was written and read, down to its hash', () => {
    const table = new SessionTable()
    table.open(1, 1000, 0)
    table.open(2, 5000, 10)
    for (const sequence of [1, 2, 5]) carryOut(table, mark(1, sequence, 1), 20)
    const other = new SessionTable()
    other.restore(table.records())
    expect(other.hash()).toBe(table.hash())
    expect(other.records()).toEqual(table.records())
    carryOut(other, mark(2, 1), 30)
    expect(other.hash()).not.toBe(table.hash())
  })
})
