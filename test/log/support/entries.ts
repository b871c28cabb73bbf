// Entries to fill logs with.

import { encodeConfiguration } from '../../../src/log/configuration-codec.ts'
import { type LogDisk, RaftLog } from '../../../src/log/raft-log.ts'
import { EntryType, type LogEntry, type LogIndex, type PeerId, type Term } from '../../../src/rules/types.ts'
import type { CacheBudget } from '../../../src/runtime/cache-budget.ts'
import type { Fetch, FetchDone, ReadLimits, StoredGroup } from '../../../src/storage/storage.ts'
import { withheldRange } from '../../../src/storage/withheld-range.ts'

export function dataEntry(index: LogIndex, term: Term, bytes = 1): LogEntry {
  return { index, term, type: EntryType.DATA, data: new Uint8Array(bytes).fill(index % 251) }
}

export function dataEntries(from: LogIndex, count: number, term: Term, bytes = 1): LogEntry[] {
  return Array.from({ length: count }, (_, i) => dataEntry(from + i, term, bytes))
}

export function configurationEntry(
  index: LogIndex,
  term: Term,
  peers: readonly PeerId[],
  oldPeers: readonly PeerId[] = [],
): LogEntry {
  return { index, term, type: EntryType.CONFIGURATION, data: encodeConfiguration({ peers, oldPeers }) }
}

export const EMPTY_GROUP: StoredGroup = {
  hardState: null,
  firstIndex: 1,
  lastIndex: 0,
  termBeforeFirst: 0,
  terms: [],
  configurations: [],
  withheld: null,
}

/** What a log finds on disk when these entries are there. */
export function storedGroup(entries: readonly LogEntry[], termBeforeFirst: Term = 0): StoredGroup {
  const firstIndex = entries[0]?.index ?? 1
  return {
    hardState: null,
    firstIndex,
    lastIndex: firstIndex - 1 + entries.length,
    termBeforeFirst,
    terms: entries
      .filter((entry, i) => entry.term !== entries[i - 1]?.term)
      .map(({ index, term }) => ({ firstIndex: index, term })),
    configurations: entries.filter(({ type }) => type === EntryType.CONFIGURATION),
    withheld: withheldRange(entries),
  }
}

/** The readable part of a disk, counting how often it is asked. */
export class FakeReader implements LogDisk {
  entries: readonly LogEntry[]
  reads = 0
  readonly fetches: { from: LogIndex; limits: ReadLimits; done: FetchDone }[] = []

  constructor(entries: readonly LogEntry[] = []) {
    this.entries = entries
  }

  read(from: LogIndex, { maxEntries, maxBytes }: ReadLimits): LogEntry[] {
    this.reads++
    const found: LogEntry[] = []
    let bytes = 0
    for (const entry of this.entries) {
      if (entry.index < from) continue
      if (found.length >= maxEntries || (found.length > 0 && bytes + entry.data.length > maxBytes)) break
      bytes += entry.data.length
      found.push(entry)
    }
    return found
  }

  /** Ends when the test says so, by `answerFetches`. */
  fetch(from: LogIndex, limits: ReadLimits, done: FetchDone): Fetch {
    const fetch = { from, limits, done }
    this.fetches.push(fetch)
    return { cancel: () => void this.fetches.splice(this.fetches.indexOf(fetch), 1) }
  }

  answerFetches(): void {
    for (const { from, limits, done } of this.fetches.splice(0)) {
      done({ kind: 'entries', entries: this.read(from, limits) })
    }
  }
}

/** A log over `entries` that are on disk already. */
export function openLog(entries: readonly LogEntry[] = [], maxCachedBytes = 0, caches?: CacheBudget) {
  const disk = new FakeReader(entries)
  const stored = entries.length === 0 ? EMPTY_GROUP : storedGroup(entries)
  return { disk, log: new RaftLog(disk, stored, maxCachedBytes, caches === undefined ? {} : { caches }) }
}
