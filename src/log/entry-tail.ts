// The end of the log in memory: what is not durable yet, and some more for the state machine and slower followers.

import type { LogEntry, LogIndex } from '../rules/types.ts'

/** Slots emptied at the front before the array is packed again. */
const COMPACT_AFTER = 4096

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
