// Which part of a log may be without its payload. Remembered by its ends, so that no removal has to look at entries: what
// is left of a range after one of its ends was cut off counts as withheld.

import type { IndexRange, LogIndex } from '../rules/types.ts'

export class WithheldRange {
  #range: IndexRange | null

  constructor(stored: IndexRange | null) {
    this.#range = stored
  }

  get isEmpty(): boolean {
    return this.#range === null
  }

  /** The last entry that may be without its payload; 0: none is. */
  get last(): LogIndex {
    return this.#range?.last ?? 0
  }

  /** Entries come in ascending order of index. */
  add(index: LogIndex): void {
    this.#range = { first: this.#range?.first ?? index, last: index }
  }

  truncateSuffix(lastKept: LogIndex): void {
    if (this.#range !== null) this.#set(this.#range.first, Math.min(this.#range.last, lastKept))
  }

  truncatePrefix(firstKept: LogIndex): void {
    if (this.#range !== null) this.#set(Math.max(this.#range.first, firstKept), this.#range.last)
  }

  clear(): void {
    this.#range = null
  }

  #set(first: LogIndex, last: LogIndex): void {
    this.#range = first > last ? null : { first, last }
  }
}
