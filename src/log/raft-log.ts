// The log as the rules see it: logical first and last index, terms, configurations, the tail in memory, the rest
// from disk. Writing to disk is the log actor's; this is the memory of what was asked for and what is durable.

import { EntryType, type LogEntry, type LogId, type LogIndex, type Term } from '../rules/types.ts'
import { CacheBudget, type CacheShare } from '../runtime/cache-budget.ts'
import {
  type Fetch,
  type FetchDone,
  type GroupStore,
  StorageError,
  type StoredGroup,
} from '../storage/storage.ts'
import { requireConfiguration } from './configuration-codec.ts'
import { ConfigurationHistory } from './configuration-history.ts'
import { EntryTail, type LogMemory } from './entry-tail.ts'
import { TermRuns } from './term-runs.ts'
import { WithheldRange } from './withheld-range.ts'

/** What a log needs of its disk. */
export type LogDisk = Pick<GroupStore, 'read' | 'fetch'>

/** A write under way: when it is done, the log is durable up to `last` (lowered when a truncation overtakes it). */
export interface PendingAppend {
  last: LogIndex
  readonly bytes: number
}

export class RaftLog {
  readonly configurations: ConfigurationHistory
  /** Entries whose payload is not here. */
  readonly withheld: WithheldRange
  #firstIndex: LogIndex
  #lastIndex: LogIndex
  #durableIndex: LogIndex
  #termBeforeFirst: Term
  readonly #terms: TermRuns
  readonly #tail: EntryTail
  readonly #store: LogDisk
  readonly #maxCachedBytes: number
  readonly #neededFrom: (firstCachedIndex: LogIndex) => LogIndex
  /** Of the memory in which all groups of a process keep durable entries. */
  readonly #share: CacheShare
  readonly #pending: PendingAppend[] = []
  #lastSlice: LogEntry[] = []
  /** Counts truncations. */
  #truncations = 0
  #undurableBytes = 0
  #appendedBytes = 0

  /** @throws StorageError CORRUPT when a configuration entry cannot be read. */
  constructor(
    store: LogDisk,
    stored: StoredGroup,
    maxCachedBytes: number,
    { caches = new CacheBudget(Number.POSITIVE_INFINITY), neededFrom = () => 0 }: LogMemory = {},
  ) {
    this.#store = store
    this.#firstIndex = stored.firstIndex
    this.#lastIndex = stored.lastIndex
    this.#durableIndex = stored.lastIndex
    this.#termBeforeFirst = stored.termBeforeFirst
    this.#terms = new TermRuns(stored.terms)
    this.#tail = new EntryTail(stored.lastIndex + 1)
    this.#maxCachedBytes = maxCachedBytes
    this.#neededFrom = neededFrom
    this.withheld = new WithheldRange(stored.withheld)
    this.configurations = new ConfigurationHistory(stored.configurations.map(requireConfiguration))
    this.#share = caches.join((maxBytes) => this.#giveWay(maxBytes))
  }

  get firstIndex(): LogIndex {
    return this.#firstIndex
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex
  }

  get lastLogId(): LogId {
    return { index: this.#lastIndex, term: this.termAt(this.#lastIndex) }
  }

  /** The last entry that would survive power loss now. Votes are asked for and judged by it (trap T11). */
  get durableLogId(): LogId {
    return { index: this.#durableIndex, term: this.termAt(this.#durableIndex) }
  }

  /** Bytes handed to the disk that it has not confirmed yet. */
  get undurableBytes(): number {
    return this.#undurableBytes
  }

  /** Bytes that have come to this log since it was opened, whatever has become of them. */
  get appendedBytes(): number {
    return this.#appendedBytes
  }

  get durableIndex(): LogIndex {
    return this.#durableIndex
  }

  /** 0 for index 0, for what is compacted, and for what is not there. */
  termAt(index: LogIndex): Term {
    if (index === this.#firstIndex - 1) return this.#termBeforeFirst
    if (index < this.#firstIndex || index > this.#lastIndex) return 0
    return this.#terms.at(index)
  }

  /** First index of the run of equal terms that `index` lies in. */
  firstOfTermAt(index: LogIndex): LogIndex {
    return this.#terms.startAt(index)
  }

  /** The last index up to `limit` whose term is at most `term`; 0 when there is none, or it is compacted. */
  lastOfTermAtMost(term: Term, limit: LogIndex): LogIndex {
    const found = this.#terms.lastAtMost(term, Math.min(limit, this.#lastIndex))
    if (found > 0) return found
    const before = this.#firstIndex - 1
    return before <= limit && this.#termBeforeFirst <= term ? before : 0
  }

  /** From here on entries are in memory; what comes before has to be fetched. */
  get firstCachedIndex(): LogIndex {
    return this.#tail.firstIndex
  }

  /** Takes entries into memory; they must follow the last index. Returns the record to hand to `markDurable`. */
  append(entries: readonly LogEntry[]): PendingAppend {
    let bytes = 0
    for (const entry of entries) {
      bytes += entry.data.length
      this.#tail.push(entry)
      this.#terms.extend(entry.index, entry.term)
      if (entry.type === EntryType.WITHHELD) this.withheld.add(entry.index)
      if (entry.type === EntryType.CONFIGURATION) this.configurations.add(requireConfiguration(entry))
    }
    this.#lastIndex += entries.length
    const pending = { last: this.#lastIndex, bytes }
    this.#undurableBytes += bytes
    this.#appendedBytes += bytes
    this.#pending.push(pending)
    return pending
  }

  /** Writes end in the order in which they were asked for. */
  markDurable(write: PendingAppend): void {
    this.#pending.shift()
    this.#undurableBytes -= write.bytes
    if (write.last > this.#durableIndex) this.#durableIndex = write.last
    this.#trim()
  }

  truncateSuffix(lastKept: LogIndex): void {
    this.#truncations++
    this.#tail.truncateSuffix(lastKept)
    this.#terms.truncateSuffix(lastKept)
    this.configurations.truncateSuffix(lastKept)
    this.withheld.truncateSuffix(lastKept)
    this.#lastIndex = lastKept
    this.#durableIndex = Math.min(this.#durableIndex, lastKept)
    // A write that is still on its way must not make later entries at the same indexes look durable.
    for (const write of this.#pending) write.last = Math.min(write.last, lastKept)
    this.#lastSlice = []
    this.#share.holds(this.#cachedBytes)
  }

  /**
   * Forgets every entry before `firstKept`, which a durable snapshot stands for; the term just before it stays known. At
   * most one index past the end: to begin further on, `reset` it (braft truncate_prefix, scenario LM-11).
   */
  truncatePrefix(firstKept: LogIndex): void {
    if (firstKept <= this.#firstIndex) return
    if (firstKept > this.#lastIndex + 1) {
      throw new RangeError(`The log ends at ${this.#lastIndex}: it cannot begin at ${firstKept}.`)
    }
    this.#termBeforeFirst = this.termAt(firstKept - 1)
    this.#firstIndex = firstKept
    this.#tail.truncatePrefix(firstKept)
    if (firstKept > this.#lastIndex) this.#terms.clear()
    else this.#terms.truncatePrefix(firstKept)
    this.configurations.truncatePrefix(firstKept)
    this.withheld.truncatePrefix(firstKept)
    // Of what is gone the snapshot is durable; of what stays, no more than was (HB-09).
    this.#durableIndex = Math.max(this.#durableIndex, firstKept - 1)
    this.#share.holds(this.#cachedBytes)
  }

  /**
   * Empties the log, which a durable snapshot stands for up to `nextIndex - 1` (braft LogManager reset). The position
   * just before counts as durable, and `termBefore` is its term (HB-09).
   */
  reset(nextIndex: LogIndex, termBefore: Term): void {
    this.#truncations++
    this.#firstIndex = nextIndex
    this.#lastIndex = nextIndex - 1
    this.#durableIndex = nextIndex - 1
    this.#termBeforeFirst = termBefore
    this.#tail.restart(nextIndex)
    this.#terms.clear()
    this.configurations.clear()
    this.withheld.clear()
    for (const write of this.#pending) write.last = Math.min(write.last, nextIndex - 1)
    this.#lastSlice = []
    this.#share.holds(this.#cachedBytes)
  }

  /**
   * Entries from `from` on, bounded by count and bytes; at least one if the log reaches that far. Asking again for the
   * same entries gives the same array, so that a frame is encoded once for all followers.
   * @throws StorageError CORRUPT when an entry cannot be read from disk.
   */
  slice(from: LogIndex, maxEntries: number, maxBytes: number): readonly LogEntry[] {
    if (from > this.#lastIndex || from < this.#firstIndex) return []
    const found =
      from >= this.#tail.firstIndex
        ? this.#tail.slice(from, maxEntries, maxBytes)
        : this.#readStored(from, maxEntries, maxBytes)
    const known = this.#lastSlice
    if (known.length === found.length && known[0] === found[0] && known.at(-1) === found.at(-1)) return known
    this.#lastSlice = found
    return found
  }

  /**
   * What `slice` would give, if it is in memory; `null` when it has to be fetched, which can only be so for durable
   * entries.
   */
  cached(from: LogIndex, maxEntries: number, maxBytes: number): readonly LogEntry[] | null {
    if (from < this.#tail.firstIndex) return null
    return this.slice(from, maxEntries, maxBytes)
  }

  /**
   * Reads entries from disk without holding up the loop; `done` is called once, later, unless the fetch is cancelled.
   * At least one entry if the log reaches that far, fewer than asked for where those in memory begin (ask `cached`
   * first), none when they were truncated meanwhile. "Compacted": the log begins after `from`.
   *
   * @example
   * const entries = log.cached(next, 1024, 65_536)
   * if (entries === null) this.#fetch = log.fetch(next, 1024, 65_536, (result) => this.#fetched(result))
   */
  fetch(from: LogIndex, maxEntries: number, maxBytes: number, done: FetchDone): Fetch {
    const count = Math.max(1, Math.min(maxEntries, this.#tail.firstIndex - from))
    const shouldBeThere = from >= this.#firstIndex && from <= this.#durableIndex
    const truncations = this.#truncations
    return this.#store.fetch(from, { maxEntries: count, maxBytes }, (result) => {
      const isGone = result.kind === 'entries' && result.entries.length === 0
      const isLost = isGone && shouldBeThere && truncations === this.#truncations
      done(isLost ? { kind: 'failed', error: this.#lost(from) } : result)
    })
  }

  entryAt(index: LogIndex): LogEntry | null {
    return this.#tail.get(index) ?? this.slice(index, 1, 1)[0] ?? null
  }

  /** The entry if it is in memory. */
  peek(index: LogIndex): LogEntry | null {
    return this.#tail.get(index) ?? null
  }

  #readStored(from: LogIndex, maxEntries: number, maxBytes: number): LogEntry[] {
    const count = Math.min(maxEntries, this.#tail.firstIndex - from)
    const found = this.#store.read(from, { maxEntries: count, maxBytes })
    if (found.length > 0) return found
    throw this.#lost(from)
  }

  #lost(index: LogIndex): StorageError {
    return new StorageError(
      'CORRUPT',
      `The log should hold index ${index} (it reaches from ${this.#firstIndex} to ${this.#lastIndex}), but it is not on disk.`,
    )
  }

  /** The log will not be used any more: what it keeps in memory is not counted from now on. */
  release(): void {
    this.#share.leave()
  }

  get #cachedBytes(): number {
    return Math.max(0, this.#tail.bytes - this.#undurableBytes)
  }

  /** What is durable may leave memory, whether or not it has been applied or sent: both can read it back. */
  #trim(): void {
    const [durableIndex, undurableBytes] = [this.#durableIndex, this.#undurableBytes]
    const settledIndex = this.#neededFrom(this.#tail.firstIndex) - 1
    this.#tail.keep(this.#maxCachedBytes, { durableIndex, undurableBytes, settledIndex })
    this.#share.holds(this.#cachedBytes)
  }

  #giveWay(maxBytes: number): number {
    this.#tail.trim(this.#durableIndex, maxBytes + this.#undurableBytes)
    return this.#cachedBytes
  }
}
