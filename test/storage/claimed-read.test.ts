// A read that is under way while the log changes: what it may hand over in the end.

import { describe, expect, it } from 'vitest'
import { ClaimedRead } from '../../src/storage/claimed-read.ts'
import { LogWindow } from '../../src/storage/log-window.ts'
import { type FetchResult, StorageError } from '../../src/storage/storage.ts'
import { makeEntries } from '../../src/testing/storage-conformance.ts'

/** A read of at most ten entries of a log from 11 to 50. */
function reading(from = 21) {
  const window = new LogWindow('g', 11, 50)
  const results: FetchResult[] = []
  const read = new ClaimedRead(window, from, 10, (result) => results.push(result))
  return { window, read, results }
}
const rows = (from: number, count: number, term = 1) => ({
  entries: makeEntries(from, count, term),
  failure: null,
})
const missing = (index: number) => ({ index, error: new StorageError('CORRUPT', `missing ${index}`) })

describe('a read under way', () => {
  it('asks for what is durable, within its bounds', () => {
    expect([reading().read.from, reading().read.to]).toEqual([21, 30])
    expect(reading(45).read.to).toBe(50)
    expect(reading(51).read.to).toBe(50)
    expect(reading(10).read.to).toBeLessThan(10)
  })

  it('does not wait for entries that are on their way', () => {
    const window = new LogWindow('g', 11, 50)
    window.appended(makeEntries(51, 5))
    expect(new ClaimedRead(window, 49, 10, () => {}).to).toBe(50)
  })

  it('hands over what it found, once', () => {
    const { read, results } = reading()
    read.rowsRead(rows(21, 4))
    read.rowsRead(rows(21, 4))
    expect(results).toEqual([{ kind: 'entries', entries: makeEntries(21, 4) }])
  })

  it('hands over no rows behind a truncation, be they the old ones or others', () => {
    for (const term of [1, 2]) {
      const { window, read, results } = reading()
      window.truncateSuffix(24)
      window.appended(makeEntries(25, 20, 2))()
      read.rowsRead({ entries: [...makeEntries(21, 4), ...makeEntries(25, 6, term)], failure: null })
      expect(results).toEqual([{ kind: 'entries', entries: makeEntries(21, 4) }])
    }
  })

  it('takes rows that a truncation has removed for no damage, and others for damage', () => {
    const { window, read, results } = reading()
    window.truncateSuffix(24)
    read.rowsRead({ entries: makeEntries(21, 4), failure: missing(25) })
    expect(results).toEqual([{ kind: 'entries', entries: makeEntries(21, 4) }])
    const damaged = reading()
    damaged.window.truncateSuffix(24)
    damaged.read.rowsRead({ entries: makeEntries(21, 3), failure: missing(24) })
    expect(damaged.results).toMatchObject([{ kind: 'failed', error: { code: 'CORRUPT' } }])
  })

  it('has nothing when all of it was truncated', () => {
    const { window, read, results } = reading()
    window.truncateSuffix(15)
    read.rowsRead(rows(21, 10))
    expect(results).toEqual([{ kind: 'entries', entries: [] }])
  })

  it('says "compacted" when its first row is dropped, whatever was found', () => {
    for (const found of [rows(21, 10), { entries: [], failure: missing(21) }]) {
      const { window, read, results } = reading()
      window.truncatePrefix(22)
      read.rowsRead(found)
      expect(results).toEqual([{ kind: 'compacted', firstIndex: 22 }])
    }
    const { window, read, results } = reading()
    window.truncatePrefix(21)
    read.rowsRead(rows(21, 10))
    expect(results).toMatchObject([{ kind: 'entries' }])
  })

  it('that is cancelled says nothing', () => {
    const { read, results } = reading()
    read.cancel()
    read.rowsRead(rows(21, 4))
    read.failed(new StorageError('CLOSED', 'closed'))
    expect(results).toEqual([])
  })
})
