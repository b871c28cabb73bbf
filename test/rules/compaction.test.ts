// Where log and snapshot are joined, and what of the log may go (braft LogManager::set_snapshot, HB-07, INV-21).

import { describe, expect, it } from 'vitest'
import { firstKeptIndex, reconcileLog } from '../../src/rules/compaction.ts'

/** Entries 5 to 12: of term 2 to 8, of term 4 from 9 on; the entry at 4 was of term 1. */
const log = {
  firstIndex: 5,
  lastIndex: 12,
  termAt: (index: number) => {
    if (index === 4) return 1
    if (index < 4 || index > 12) return 0
    return index < 9 ? 2 : 4
  },
}

describe('log and snapshot', () => {
  it.each([
    ['ends within the log, with the same entry', 8, 2, 'keep'],
    ['ends with the log', 12, 4, 'keep'],
    ['ends within the log, with another entry', 9, 3, 'reset'],
    ['ends just after the log (trap T55)', 13, 4, 'reset'],
    ['ends far behind the log', 1000, 2, 'reset'],
    ['ends just before the log, with the entry that was there', 4, 1, 'keep'],
    ['ends just before the log, with another entry', 4, 2, 'reset'],
    ['is older than what is compacted', 3, 9, 'keep'],
  ])('when the snapshot %s', (_, index, term, verdict) => {
    expect(reconcileLog(log, { index, term })).toBe(verdict)
  })

  it('stay together when the term just before the log is unknown', () => {
    const unknown = { firstIndex: 5, lastIndex: 4, termAt: () => 0 }
    expect(reconcileLog(unknown, { index: 4, term: 3 })).toBe('keep')
    expect(reconcileLog(unknown, { index: 5, term: 3 })).toBe('reset')
  })
})

describe('the first entry that stays', () => {
  const retention = {
    snapshotIndex: 1000,
    previousIndex: 600,
    marginEntries: 0,
    installations: [],
    maxRetainedBytes: 100,
  }

  it('is the one after the previous snapshot', () => {
    expect(firstKeptIndex(retention)).toBe(601)
  })

  it('is the first of all after the first snapshot: nothing goes', () => {
    expect(firstKeptIndex({ ...retention, previousIndex: 0 })).toBe(1)
  })

  it.each([
    [100, 601],
    [400, 601],
    [401, 600],
    [5000, 1],
  ])('lies at least %i entries before the end of the snapshot', (marginEntries, first) => {
    expect(firstKeptIndex({ ...retention, marginEntries })).toBe(first)
  })

  it('follows the snapshot that a follower is being sent', () => {
    const installations = [
      { snapshotIndex: 600, bytesSince: 10 },
      { snapshotIndex: 300, bytesSince: 100 },
    ]
    expect(firstKeptIndex({ ...retention, installations })).toBe(301)
  })

  it('does not wait for an installation behind which the log has become too long', () => {
    const installations = [
      { snapshotIndex: 300, bytesSince: 101 },
      { snapshotIndex: 500, bytesSince: 7 },
    ]
    expect(firstKeptIndex({ ...retention, installations })).toBe(501)
    expect(firstKeptIndex({ ...retention, installations: installations.slice(0, 1) })).toBe(601)
  })
})
