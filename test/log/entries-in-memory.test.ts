// What the log keeps in memory of what is durable: as much as somebody waits for, within its bound, and a part of that when nobody does.

import { describe, expect, it } from 'vitest'
import { RaftLog } from '../../src/log/raft-log.ts'
import { dataEntries, EMPTY_GROUP, FakeReader, openLog } from './support/entries.ts'

const NO_LIMIT = Number.MAX_SAFE_INTEGER

it('small entries in memory are bounded by their number: they take more than their data', () => {
  const { log } = openLog([], 256 * 1000)
  log.markDurable(log.append(dataEntries(1, 1500, 1, 10)))
  expect(log.firstCachedIndex).toBe(501)
  const writes = [log.append(dataEntries(1501, 100, 1, 10)), log.append(dataEntries(1601, 1500, 1, 10))]
  for (const [at, first] of [601, 2101].entries()) {
    const write = writes[at]
    if (write !== undefined) log.markDurable(write)
    expect(log.firstCachedIndex).toBe(first)
  }
})

describe('entries that nobody waits for', () => {
  /** Memory for 800 small entries, a hundred of those that are settled. */
  function settling(settled: { index: number }) {
    return new RaftLog(new FakeReader(), EMPTY_GROUP, 256 * 800, { neededFrom: () => settled.index + 1 })
  }

  it('leave memory sooner than those that are needed', () => {
    const settled = { index: 0 }
    const log = settling(settled)
    const firstAfter = (from: number, index: number): number => {
      settled.index = index
      log.markDurable(log.append(dataEntries(from, 400, 1)))
      return log.firstCachedIndex
    }
    expect(firstAfter(1, 0)).toBe(1)
    expect(firstAfter(401, 150)).toBe(151)
    expect(firstAfter(801, 1150)).toBe(1101)
    // Beyond the whole of it, needed or not.
    expect(firstAfter(1201, 1150)).toBe(1151)
    expect(firstAfter(1601, 1150)).toBe(1201)
  })

  it('are counted by their bytes when they are large', () => {
    const log = settling({ index: 100 })
    log.markDurable(log.append(dataEntries(1, 100, 1, 1024)))
    expect(log.firstCachedIndex).toBe(76)
  })

  it('stay until the own disk has them, though others have committed them', () => {
    const log = settling({ index: 1000 })
    const first = log.append(dataEntries(1, 10, 1))
    log.append(dataEntries(11, 500, 1))
    log.markDurable(first)
    expect(log.firstCachedIndex).toBeLessThanOrEqual(11)
    expect(log.cached(11, 1000, NO_LIMIT)).toHaveLength(500)
  })
})
