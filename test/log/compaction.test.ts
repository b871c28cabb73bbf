// A log of which snapshots stand for the beginning, or for more than all of it: scenarios LM-06, LM-08, LM-10, LM-11, LG-08
// and HB-09.

import { describe, expect, it } from 'vitest'
import { RaftLog } from '../../src/log/raft-log.ts'
import { CacheBudget } from '../../src/runtime/cache-budget.ts'
import {
  configurationEntry,
  dataEntries,
  dataEntry,
  EMPTY_GROUP,
  FakeReader,
  openLog,
} from './support/entries.ts'

const NO_LIMIT = Number.MAX_SAFE_INTEGER

describe('a prefix that a snapshot stands for', () => {
  it('LM-11: leaves the term just before the log known, and nothing else of it', () => {
    const { log } = openLog([...dataEntries(1, 5, 1), ...dataEntries(6, 5, 2)])
    log.truncatePrefix(6)
    log.truncatePrefix(6)
    expect([log.firstIndex, log.lastLogId]).toEqual([6, { index: 10, term: 2 }])
    expect([4, 5, 6].map((index) => log.termAt(index))).toEqual([0, 1, 2])
    expect([log.slice(5, 9, NO_LIMIT), log.entryAt(5)]).toEqual([[], null])
    expect(log.firstOfTermAt(7)).toBe(6)
  })

  it('HB-09: never comes back, and is never asked for beyond the end', () => {
    const { log } = openLog(dataEntries(1, 10, 1))
    log.truncatePrefix(8)
    log.truncatePrefix(3)
    expect(log.firstIndex).toBe(8)
    expect(() => log.truncatePrefix(12)).toThrow(/ends at 10: it cannot begin at 12/)
  })

  it('may be all of the log, which then goes on where it ended', () => {
    const { log } = openLog([], NO_LIMIT)
    const write = log.append(dataEntries(1, 10, 3))
    log.truncatePrefix(11)
    expect([log.firstIndex, log.lastLogId, log.durableLogId]).toEqual([
      11,
      { index: 10, term: 3 },
      { index: 10, term: 3 },
    ])
    log.append(dataEntries(11, 2, 3))
    log.markDurable(write)
    expect(log.durableIndex).toBe(10)
    expect(log.slice(11, 9, NO_LIMIT)).toHaveLength(2)
    expect([10, 11].map((index) => log.termAt(index))).toEqual([3, 3])
  })

  it('LG-08: takes configurations with it, but not the one at its first entry', () => {
    const { log } = openLog([dataEntry(1, 1), configurationEntry(2, 1, ['a', 'b']), ...dataEntries(3, 3, 1)])
    log.truncatePrefix(2)
    expect(log.configurations.newest()?.peers).toEqual(['a', 'b'])
    log.configurations.setSnapshot({ peers: ['a', 'b'], oldPeers: [], id: { index: 4, term: 1 } })
    log.truncatePrefix(4)
    expect(log.configurations.newest()).toEqual({
      peers: ['a', 'b'],
      oldPeers: [],
      id: { index: 4, term: 1 },
    })
  })

  it('HB-09: does not by itself make what follows durable', () => {
    const { log } = openLog([], NO_LIMIT)
    const write = log.append(dataEntries(1, 10, 1))
    log.truncatePrefix(5)
    expect([log.durableLogId, log.undurableBytes]).toEqual([{ index: 4, term: 1 }, 10])
    log.markDurable(write)
    expect([log.durableIndex, log.undurableBytes]).toEqual([10, 0])
  })

  it('gives back the memory it took', () => {
    const budget = new CacheBudget(1000)
    const { log } = openLog([], NO_LIMIT, budget)
    log.markDurable(log.append(dataEntries(1, 10, 1, 10)))
    log.truncatePrefix(6)
    expect([budget.bytes, log.firstCachedIndex]).toEqual([50, 6])
    log.truncatePrefix(11)
    expect([budget.bytes, log.firstCachedIndex]).toEqual([0, 11])
  })
})

describe('a log that begins anew after a snapshot', () => {
  it('LM-06, HB-09: ends at the snapshot, durably, with its term', () => {
    const { log } = openLog()
    log.reset(1001, 2)
    expect([log.firstIndex, log.lastLogId, log.durableLogId]).toEqual([
      1001,
      { index: 1000, term: 2 },
      { index: 1000, term: 2 },
    ])
    expect([999, 1000, 1001].map((index) => log.termAt(index))).toEqual([0, 2, 0])
  })

  it('LM-08: says the same before and after the disk has followed', () => {
    const { log } = openLog()
    log.reset(101, 100)
    expect([log.lastLogId, log.durableLogId]).toEqual([
      { index: 100, term: 100 },
      { index: 100, term: 100 },
    ])
    const reopened = new RaftLog(
      new FakeReader(),
      { ...EMPTY_GROUP, firstIndex: 101, lastIndex: 100, termBeforeFirst: 100 },
      0,
    )
    expect(reopened.lastLogId).toEqual({ index: 100, term: 100 })
  })

  it('LM-10: takes a conflict right after the snapshot', () => {
    const { log } = openLog()
    log.reset(1001, 2)
    log.append([dataEntry(1001, 2)])
    log.truncateSuffix(1000)
    expect(log.lastLogId).toEqual({ index: 1000, term: 2 })
    log.append([dataEntry(1001, 3)])
    expect(log.lastLogId).toEqual({ index: 1001, term: 3 })
  })

  it('does not let writes of before make its own entries look durable', () => {
    const { log } = openLog()
    const old = log.append(dataEntries(1, 20, 1))
    log.reset(11, 2)
    const young = log.append(dataEntries(11, 5, 3))
    log.markDurable(old)
    expect([log.durableLogId, log.undurableBytes]).toEqual([{ index: 10, term: 2 }, 5])
    log.markDurable(young)
    expect([log.durableLogId, log.undurableBytes]).toEqual([{ index: 15, term: 3 }, 0])
  })

  it('keeps nothing of before: no entries, no memory, no configurations', () => {
    const budget = new CacheBudget(1000)
    const { log } = openLog([], NO_LIMIT, budget)
    log.markDurable(log.append([...dataEntries(1, 9, 1, 10), configurationEntry(10, 1, ['a'])]))
    log.configurations.setSnapshot({ peers: ['b'], oldPeers: [], id: { index: 4, term: 2 } })
    log.reset(5, 2)
    expect([budget.bytes, log.firstCachedIndex, log.slice(5, 9, NO_LIMIT)]).toEqual([0, 5, []])
    expect(log.configurations.newest()?.peers).toEqual(['b'])
  })

  it('has overtaken a fetch that then finds nothing, which is no damage', () => {
    const { log, disk } = openLog(dataEntries(1, 10, 1))
    const found: unknown[] = []
    log.fetch(8, 99, NO_LIMIT, (result) => found.push(result))
    log.reset(5, 2)
    disk.entries = []
    disk.answerFetches()
    expect(found).toEqual([{ kind: 'entries', entries: [] }])
  })
})
