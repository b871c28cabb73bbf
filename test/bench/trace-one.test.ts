// The way of one write, out of what each process has noted.

import { describe, expect, it } from 'vitest'
import { type Passed, rowsOf, wayOf } from '../../bench/trace-one.ts'

const at = (atMs: number, point: Passed['point']): Passed => ({ point, atMs })

describe('the way of a write', () => {
  it('is told by when each point was passed first, after the write was begun', () => {
    const writes = [
      { fromMs: 10, toMs: 12 },
      { fromMs: 20, toMs: 23 },
    ]
    const passed = [
      at(9, 'committed'),
      at(10.5, 'appended'),
      at(11, 'durable'),
      at(11.5, 'durable'),
      at(15, 'durable'),
      at(20.7, 'appended'),
      at(22, 'durable'),
    ]
    expect(rowsOf('leader', writes, passed)).toEqual([
      { mode: 'trace', where: 'leader', point: 'appended', p50ms: 0.5, p90ms: 0.7, count: 2 },
      { mode: 'trace', where: 'leader', point: 'durable', p50ms: 1, p90ms: 2, count: 2 },
    ])
  })

  it('is drawn from left to right', () => {
    const rows = rowsOf('leader', [{ fromMs: 0, toMs: 2 }], [at(1, 'appended'), at(2, 'applied')])
    expect(wayOf(rows)).toEqual([
      `leader: appended   1.000 ms ${'·'.repeat(25)}█`,
      `leader: applied    2.000 ms ${'·'.repeat(50)}█`,
    ])
  })
})
