import { expect, it } from 'vitest'
import { Trace } from '../../src/simulation/trace.ts'

it('keeps the last lines, counts all, and hashes every one', () => {
  const make = (change: number | null): Trace => {
    const trace = new Trace({ nowMs: () => 1234.5, maxLines: 3 })
    for (let i = 0; i < 10; i++)
      trace.record('A', 'step', { i: i === change ? -1 : i, why: 'a b', none: null })
    return trace
  }
  const trace = make(null)
  expect(trace.lines()).toEqual(
    [7, 8, 9].map((i) => `    1234.500 A        step         i=${i} why="a b" none=-`),
  )
  expect(trace.lines(1)).toHaveLength(1)
  expect(trace.count).toBe(10)
  expect(trace.hash).toMatch(/^[0-9a-f]{16}$/)
  expect(make(null).hash).toBe(trace.hash)
  expect(make(0).hash).not.toBe(trace.hash)
})

it('writes one record per line of NDJSON', () => {
  const lines: string[] = []
  const trace = new Trace({ nowMs: () => 1, writeNdjson: (line) => lines.push(line) })
  trace.record('B', 'vote', { term: 3, granted: true })
  expect(lines).toEqual(['{"t":1,"node":"B","what":"vote","term":3,"granted":true}\n'])
})
