// The log in memory and behind it: braft LogManager, scenarios LM-01 to LM-05 and LM-11, traps T11, T52, T53.

import { describe, expect, it } from 'vitest'
import { RaftLog } from '../../src/log/raft-log.ts'
import { EntryType } from '../../src/rules/types.ts'
import { CacheBudget } from '../../src/runtime/cache-budget.ts'
import {
  configurationEntry,
  dataEntries,
  dataEntry,
  EMPTY_GROUP,
  FakeReader,
  openLog,
  storedGroup,
} from './support/entries.ts'

const NO_LIMIT = Number.MAX_SAFE_INTEGER

describe('an empty log', () => {
  it('begins at 1 and ends at nothing', () => {
    const { log } = openLog()
    expect([log.firstIndex, log.lastIndex, log.durableIndex]).toEqual([1, 0, 0])
    expect(log.lastLogId).toEqual({ index: 0, term: 0 })
    expect(log.durableLogId).toEqual({ index: 0, term: 0 })
    expect(log.configurations.newest()).toBeNull()
    expect(log.slice(1, 10, NO_LIMIT)).toEqual([])
    expect(log.entryAt(1)).toBeNull()
  })
})

describe('a log that was stored', () => {
  const entries = [...dataEntries(5, 2, 2), ...dataEntries(7, 2, 4)]
  const log = new RaftLog(new FakeReader(entries), storedGroup(entries, 1), 0)

  it('is durable to its end', () => {
    expect(log.lastLogId).toEqual({ index: 8, term: 4 })
    expect(log.durableLogId).toEqual({ index: 8, term: 4 })
  })

  it('knows its terms, and that of the entry just before it (LM-11, trap T54)', () => {
    expect([3, 4, 5, 6, 7, 8, 9].map((index) => log.termAt(index))).toEqual([0, 1, 2, 2, 4, 4, 0])
  })

  it('reads from disk what is not in memory, and nothing before its first index', () => {
    expect(log.slice(6, 2, NO_LIMIT)).toEqual(entries.slice(1, 3))
    expect(log.slice(4, 2, NO_LIMIT)).toEqual([])
    expect(log.entryAt(8)).toEqual(entries[3])
  })

  it('says that it is damaged when the disk lacks what it should have', () => {
    const damaged = new RaftLog(new FakeReader([]), storedGroup(entries, 1), 0)
    expect(() => damaged.slice(6, 1, NO_LIMIT)).toThrow(
      /should hold index 6 \(it reaches from 5 to 8\), but it is not on disk/,
    )
  })

  it('refuses to open with a configuration entry that cannot be read', () => {
    const broken = { index: 5, term: 1, type: EntryType.CONFIGURATION, data: Uint8Array.of(1, 2, 3) }
    expect(() => new RaftLog(new FakeReader([broken]), storedGroup([broken]), 0)).toThrow(
      /configuration entry at index 5 cannot be read/,
    )
  })
})

describe('LM-01: reads do not wait for the disk', () => {
  const { log, disk } = openLog()
  const entries = dataEntries(1, 10_000, 1)
  const writes = [entries.slice(0, 4000), entries.slice(4000)].map((batch) => log.append(batch))

  it('everything appended can be read while nothing is durable', () => {
    expect(log.slice(1, NO_LIMIT, NO_LIMIT)).toEqual(entries)
    expect(log.durableIndex).toBe(0)
    expect(disk.reads).toBe(0)
  })

  it('writes become durable in the order in which they were asked for', () => {
    disk.entries = entries
    const durable = writes.map((write) => {
      log.markDurable(write)
      return log.durableIndex
    })
    expect(durable).toEqual([4000, 10_000])
  })

  it('nothing is kept in memory once all of it is durable and no memory is granted', () => {
    expect(log.cached(9999, 2, NO_LIMIT)).toBeNull()
    expect(log.slice(9999, 2, NO_LIMIT)).toEqual(entries.slice(9998))
    expect(disk.reads).toBe(1)
  })
})

describe('entries without their payload', () => {
  const withheld = (first: number, count: number) =>
    dataEntries(first, count, 1).map((entry) => ({
      ...{ ...entry, type: EntryType.WITHHELD, data: new Uint8Array(0) },
    }))

  it.each<[string, (log: RaftLog) => void, number]>([
    ['none but data', (log) => log.append(dataEntries(9, 1, 1)), 8],
    ['more of them', (log) => log.append(withheld(9, 2)), 10],
    ['the end is cut off', (log) => log.truncateSuffix(6), 6],
    ['all but what came before them is cut off', (log) => log.truncateSuffix(4), 0],
    ['what came before them is forgotten', (log) => log.truncatePrefix(5), 8],
    ['some of them are forgotten', (log) => log.truncatePrefix(8), 8],
    ['all of them are forgotten', (log) => log.truncatePrefix(9), 0],
    ['the log begins anew', (log) => log.reset(20, 1), 0],
  ])('are known to the last one: %s', (_what, change, last) => {
    for (const stored of [true, false]) {
      const entries = [...dataEntries(1, 4, 1), ...withheld(5, 4)]
      const kept = stored ? storedGroup(entries) : EMPTY_GROUP
      const log = new RaftLog(new FakeReader(stored ? entries : []), kept, NO_LIMIT)
      if (!stored) log.append(entries)
      change(log)
      expect([log.withheld.last, log.withheld.isEmpty]).toEqual([last, last === 0])
    }
  })
})

describe('LM-02, LM-03: configurations', () => {
  const { log } = openLog()
  const all = ['a', 'b', 'c', 'd', 'e']

  it('take effect when they are appended, before they are durable', () => {
    for (const size of [1, 2, 3, 4, 5]) {
      log.append([configurationEntry(size, 1, all.slice(0, size), all.slice(0, size - 1))])
      expect(log.configurations.newest()).toEqual({
        peers: all.slice(0, size),
        oldPeers: all.slice(0, size - 1),
        id: { index: size, term: 1 },
      })
    }
  })

  it('come back when later ones are truncated', () => {
    log.truncateSuffix(2)
    expect(log.configurations.newest()?.peers).toEqual(['a', 'b'])
    expect(log.configurations.at(1)?.peers).toEqual(['a'])
  })
})

describe('LM-04, LM-05: replacing what was appended, without waiting for the disk', () => {
  it('keeps last index, terms and configuration right after each call', () => {
    const { log, disk } = openLog()
    const first = [...dataEntries(1, 999, 1), configurationEntry(1000, 1, ['a'])]
    const second = [...dataEntries(1, 999, 2), configurationEntry(1000, 2, ['b'])]
    const third = dataEntries(1001, 1000, 2)

    const write1 = log.append(first)
    expect([log.lastLogId, log.configurations.newest()?.peers]).toEqual([{ index: 1000, term: 1 }, ['a']])
    log.truncateSuffix(0)
    expect([log.lastLogId, log.configurations.newest()]).toEqual([{ index: 0, term: 0 }, null])
    const write2 = log.append(second)
    const write3 = log.append(third)
    expect(log.lastLogId).toEqual({ index: 2000, term: 2 })
    expect(log.configurations.newest()?.peers).toEqual(['b'])
    expect(log.slice(1, NO_LIMIT, NO_LIMIT)).toEqual([...second, ...third])

    log.markDurable(write1)
    // The first batch has reached the disk, and is on its way out again: nothing of it counts.
    expect(log.durableLogId).toEqual({ index: 0, term: 0 })
    log.markDurable(write2)
    expect(log.durableLogId).toEqual({ index: 1000, term: 2 })
    log.markDurable(write3)
    expect(log.durableIndex).toBe(2000)

    disk.entries = [...second, ...third]
    expect(log.slice(1, NO_LIMIT, NO_LIMIT)).toEqual([...second, ...third])
    expect(disk.reads).toBe(1)
  })
})

describe('a truncation', () => {
  it('takes durability back at once, though the disk comes later (trap T53)', () => {
    const { log } = openLog(dataEntries(1, 10, 1))
    log.truncateSuffix(6)
    expect(log.durableLogId).toEqual({ index: 6, term: 1 })
  })

  it('that overtakes a write does not let later entries at the same indexes look durable', () => {
    const { log } = openLog()
    const old = log.append(dataEntries(1, 10, 1))
    log.truncateSuffix(5)
    const young = log.append(dataEntries(6, 5, 2))
    log.markDurable(old)
    expect(log.durableLogId).toEqual({ index: 5, term: 1 })
    log.markDurable(young)
    expect(log.durableLogId).toEqual({ index: 10, term: 2 })
  })

  it('below what memory holds leaves the rest to be read from disk', () => {
    const entries = dataEntries(1, 10, 1)
    const { log, disk } = openLog(entries)
    log.truncateSuffix(4)
    disk.entries = entries.slice(0, 4)
    log.append([dataEntry(5, 2)])
    expect(log.slice(4, 1, NO_LIMIT)).toEqual([entries[3]])
    expect(log.slice(5, 9, NO_LIMIT)).toEqual([dataEntry(5, 2)])
  })
})

describe('memory', () => {
  const tenEach = (count: number) => dataEntries(1, count, 1, 10)

  it('keeps entries that are not durable, whatever the limit', () => {
    const { log, disk } = openLog([], 0)
    log.append(tenEach(3))
    expect(log.slice(1, 9, NO_LIMIT)).toHaveLength(3)
    expect(disk.reads).toBe(0)
  })

  it('lets go of what is durable, though nobody has applied it: a machine that hangs costs no memory', () => {
    const { log } = openLog([], 100)
    for (let batch = 0; batch < 50; batch++)
      log.markDurable(log.append(dataEntries(1 + 10 * batch, 10, 1, 10)))
    expect(log.cached(490, 99, NO_LIMIT)).toBeNull()
    expect(log.cached(491, 99, NO_LIMIT)).toHaveLength(10)
  })

  it('keeps durable entries for slower followers, up to its limit', () => {
    const { log, disk } = openLog([], 25)
    const entries = tenEach(5)
    log.markDurable(log.append(entries))
    disk.entries = entries
    expect(log.slice(4, 9, NO_LIMIT)).toEqual(entries.slice(3))
    expect(disk.reads).toBe(0)
    // What comes from disk ends where memory begins.
    expect(log.slice(1, 9, NO_LIMIT)).toEqual(entries.slice(0, 3))
    expect(disk.reads).toBe(1)
  })
})

describe('memory that many logs share', () => {
  const KIB = 1024
  function thousandLogs(budget: CacheBudget) {
    return Array.from({ length: 1000 }, () => {
      const log = new RaftLog(new FakeReader(), EMPTY_GROUP, 8 * KIB * KIB, { caches: budget })
      for (let batch = 0; batch < 5; batch++) {
        log.markDurable(log.append(dataEntries(1 + 10 * batch, 10, 1, 20 * KIB)))
      }
      return log
    })
  }

  it('is bounded for all of them together: those that were idle longest keep nothing', () => {
    const budget = new CacheBudget(4 * KIB * KIB)
    const logs = thousandLogs(budget)
    expect(budget.bytes).toBeLessThanOrEqual(4 * KIB * KIB)
    expect(logs.filter((log) => log.firstCachedIndex <= 50)).toEqual(logs.slice(-5))
    expect(logs.at(-1)?.cached(1, 99, NO_LIMIT)).toHaveLength(50)
  })

  it('never costs entries that are not durable', () => {
    const budget = new CacheBudget(100)
    const { log } = openLog([], NO_LIMIT, budget)
    log.markDurable(log.append(dataEntries(1, 10, 1, 10)))
    const write = log.append(dataEntries(11, 10, 1, 10))
    const other = openLog([], NO_LIMIT, budget)
    other.log.markDurable(other.log.append(dataEntries(1, 10, 1, 10)))
    expect(log.firstCachedIndex).toBe(11)
    log.markDurable(write)
    expect([log.firstCachedIndex, other.log.firstCachedIndex]).toEqual([11, 11])
    expect(budget.bytes).toBe(100)
  })

  it('is free again when a log is closed, whatever its disk still confirms', () => {
    const budget = new CacheBudget(1000)
    const { log } = openLog([], NO_LIMIT, budget)
    log.markDurable(log.append(dataEntries(1, 10, 1, 10)))
    const late = log.append(dataEntries(11, 10, 1, 10))
    log.release()
    log.markDurable(late)
    expect(budget.bytes).toBe(0)
  })
})

describe('borders of terms', () => {
  const { log } = openLog([...dataEntries(1, 3, 1), ...dataEntries(4, 2, 4), ...dataEntries(6, 2, 5)])
  const late = new RaftLog(new FakeReader(), storedGroup(dataEntries(5, 4, 6), 3), 0)

  it('are found from within', () => {
    expect([1, 3, 4, 5, 7].map((index) => log.firstOfTermAt(index))).toEqual([1, 1, 4, 4, 6])
  })

  it('are found from above: the last entry of at most a term', () => {
    expect([0, 1, 3, 4, 9].map((term) => log.lastOfTermAtMost(term, 99))).toEqual([0, 3, 3, 5, 7])
    expect([2, 4, 0, -1].map((limit) => log.lastOfTermAtMost(4, limit))).toEqual([2, 4, 0, 0])
  })

  it('include the entry before the first, whose term is known', () => {
    expect([2, 3, 5, 6].map((term) => late.lastOfTermAtMost(term, 99))).toEqual([0, 4, 4, 8])
    expect(late.lastOfTermAtMost(9, 4)).toBe(4)
    expect(late.lastOfTermAtMost(9, 3)).toBe(0)
  })
})

describe('a fetch', () => {
  const entries = dataEntries(1, 10, 1, 10)
  const cachedThree = () => {
    const opened = openLog([], 30)
    opened.log.markDurable(opened.log.append(entries))
    opened.disk.entries = entries
    return opened
  }

  it('is needed for what is not in memory, and only for that', () => {
    const { log, disk } = cachedThree()
    expect(log.cached(7, 9, NO_LIMIT)).toBeNull()
    expect(log.cached(8, 2, NO_LIMIT)).toEqual(entries.slice(7, 9))
    expect(log.cached(11, 9, NO_LIMIT)).toEqual([])
    expect(disk.reads).toBe(0)
  })

  it('ends where memory begins, or at its limits, and does not hold up the caller', () => {
    const { log, disk } = cachedThree()
    const found: unknown[] = []
    const note = (result: unknown): void => void found.push(result)
    log.fetch(5, 99, NO_LIMIT, note)
    log.fetch(1, 2, NO_LIMIT, note)
    log.fetch(1, 99, 25, note)
    expect(found).toEqual([])
    disk.answerFetches()
    expect(found).toEqual([
      { kind: 'entries', entries: entries.slice(4, 7) },
      { kind: 'entries', entries: entries.slice(0, 2) },
      { kind: 'entries', entries: entries.slice(0, 2) },
    ])
  })

  it('that finds nothing where something should be has found damage', () => {
    const { log, disk } = cachedThree()
    const found: unknown[] = []
    disk.entries = []
    log.fetch(5, 99, NO_LIMIT, (result) => found.push(result))
    disk.answerFetches()
    const error = { code: 'CORRUPT', message: expect.stringMatching(/should hold index 5/) }
    expect(found).toMatchObject([{ kind: 'failed', error }])
  })

  it('that a truncation has overtaken has found nothing, which is no damage', () => {
    const { log, disk } = cachedThree()
    const found: unknown[] = []
    log.fetch(5, 99, NO_LIMIT, (result) => found.push(result))
    log.truncateSuffix(4)
    disk.entries = entries.slice(0, 4)
    log.append(dataEntries(5, 6, 2))
    disk.answerFetches()
    expect(found).toEqual([{ kind: 'entries', entries: [] }])
  })
})

describe('a slice', () => {
  const { log } = openLog()
  log.append(dataEntries(1, 10, 1, 10))

  it('is bounded by count and by bytes', () => {
    expect(log.slice(1, 3, NO_LIMIT).map(({ index }) => index)).toEqual([1, 2, 3])
    expect(log.slice(4, 10, 35).map(({ index }) => index)).toEqual([4, 5, 6])
  })

  it('has at least one entry, however large it is', () => {
    expect(log.slice(4, 10, 1).map(({ index }) => index)).toEqual([4])
  })

  it('is the same array when the same is asked again, so that it is encoded once for all followers', () => {
    expect(log.slice(2, 3, NO_LIMIT)).toBe(log.slice(2, 3, NO_LIMIT))
  })

  it('is another array when it is cut elsewhere', () => {
    const three = log.slice(2, 3, NO_LIMIT)
    expect(log.slice(2, 4, NO_LIMIT)).not.toBe(three)
    expect(log.slice(2, 4, NO_LIMIT)).toHaveLength(4)
  })

  it('is another array after its entries were replaced', () => {
    const before = log.slice(8, 3, NO_LIMIT)
    log.truncateSuffix(9)
    log.append([dataEntry(10, 2, 10)])
    expect(log.slice(8, 3, NO_LIMIT)).not.toBe(before)
    expect(log.slice(8, 3, NO_LIMIT).map(({ term }) => term)).toEqual([1, 1, 2])
  })
})

it('opening does not touch the disk beyond what it was told', () => {
  const disk = new FakeReader()
  new RaftLog(disk, EMPTY_GROUP, 0)
  expect(disk.reads).toBe(0)
})
