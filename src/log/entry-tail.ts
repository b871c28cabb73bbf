// The end of the log in memory: what is not durable yet, and some more for the state machine and slower followers.

import { SETTLED_SHARE } from '../rules/caching.ts'
import type { LogEntry, LogIndex } from '../rules/types.ts'
import type { CacheBudget } from '../runtime/cache-budget.ts'

/** Slots emptied at the front before the array is packed again. */
const COMPACT_AFTER = 4096
/** An entry in memory takes about so many bytes, most of them beside its data when that is small. */
const BYTES_PER_ENTRY = 256
const MIN_CACHED_ENTRIES = 64

/** What may leave memory. */
export interface Droppable {
  readonly durableIndex: LogIndex
  readonly undurableBytes: number
  /** Nobody is about to ask for what comes up to here. */
  readonly settledIndex: LogIndex
}

export interface LogMemory {
  /** Shared by the logs of one process; default: as much as they like. */
  readonly caches?: CacheBudget
  /** The first entry that somebody is about to ask for; default: all of them may be asked for. */
  readonly neededFrom?: (firstCachedIndex: LogIndex) => LogIndex
}

export class EntryTail {
  #entries: (LogEntry | undefined)[] = []
  /** Emptied slots at the front. */
  #head = 0
  #firstIndex: LogIndex
  #bytes = 0

  constructor(firstIndex: LogIndex) {
    this.#firstIndex = firstIndex
  }

  /** Index of the first entry held; one past the last index when nothing is held. */
  get firstIndex(): LogIndex {
    return this.#firstIndex
  }

  get bytes(): number {
    return this.#bytes
  }

  get(index: LogIndex): LogEntry | undefined {
    return index < this.#firstIndex ? undefined : this.#entries[this.#head + index - this.#firstIndex]
  }

  push(entry: LogEntry): void {
    this.#entries.push(entry)
    this.#bytes += entry.data.length
  }

  /** Entries from `from` on, bounded; at least one if there is any. */
  slice(from: LogIndex, maxEntries: number, maxBytes: number): LogEntry[] {
    const found: LogEntry[] = []
    let bytes = 0
    for (let at = this.#head + from - this.#firstIndex; found.length < maxEntries; at++) {
      const entry = this.#entries[at]
      if (entry === undefined || (found.length > 0 && bytes + entry.data.length > maxBytes)) break
      bytes += entry.data.length
      found.push(entry)
    }
    return found
  }

  truncateSuffix(lastKept: LogIndex): void {
    const keep = this.#head + Math.max(0, lastKept + 1 - this.#firstIndex)
    for (let at = keep; at < this.#entries.length; at++) this.#bytes -= this.#entries[at]?.data.length ?? 0
    this.#entries.length = Math.min(this.#entries.length, keep)
    if (lastKept + 1 < this.#firstIndex) this.restart(lastKept + 1)
  }

  /** Forgets everything before `firstKept`, which may lie behind all that is held. */
  truncatePrefix(firstKept: LogIndex): void {
    const end = this.#firstIndex + this.#entries.length - this.#head
    if (firstKept >= end) this.restart(Math.max(firstKept, this.#firstIndex))
    else this.#drop(firstKept - 1, -1)
  }

  /** Forgets everything; the next entry held is the one at `firstIndex`. */
  restart(firstIndex: LogIndex): void {
    this.#entries = []
    this.#head = 0
    this.#bytes = 0
    this.#firstIndex = firstIndex
  }

  /** Forgets entries from the front while more than `maxBytes` are held, but none after `lastDroppable`. */
  trim(lastDroppable: LogIndex, maxBytes: number): void {
    this.#drop(lastDroppable, maxBytes)
  }

  /** Forgets durable entries from the front while they are more than `maxBytes`; settled ones while they are a part of that. */
  keep(maxBytes: number, { durableIndex, undurableBytes, settledIndex }: Droppable): void {
    // Others may have committed, and this member applied, what its own disk does not have yet.
    const lastSettled = Math.min(settledIndex, durableIndex)
    for (const [last, most] of [
      [lastSettled, SETTLED_SHARE * maxBytes],
      [durableIndex, maxBytes],
    ] as const) {
      this.trim(last, most + undurableBytes)
      const maxEntries = Math.max(MIN_CACHED_ENTRIES, Math.floor(most / BYTES_PER_ENTRY))
      this.truncatePrefix(Math.min(last, durableIndex - maxEntries) + 1)
    }
  }

  #drop(lastDroppable: LogIndex, maxBytes: number): void {
    while (this.#bytes > maxBytes && this.#firstIndex <= lastDroppable) {
      const entry = this.#entries[this.#head]
      if (entry === undefined) return
      this.#entries[this.#head++] = undefined
      this.#firstIndex++
      this.#bytes -= entry.data.length
    }
    if (this.#head < COMPACT_AFTER || this.#head * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }
}
