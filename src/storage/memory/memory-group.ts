// The durable state of one group in memory: what the SQLite tables hold, as plain arrays.

import { EntryType, type HardState, type LogEntry, type LogIndex, type Term } from '../../rules/types.ts'
import { drawIdentity } from '../identity.ts'
import type { StoredGroup, TermRun } from '../storage.ts'
import { withheldRange } from '../withheld-range.ts'

export class MemoryGroup {
  readonly #identity = drawIdentity()
  #hardState: HardState | null = null
  #firstIndex: LogIndex = 1
  #termBeforeFirst: Term = 0
  #entries: LogEntry[] = []

  stored(): StoredGroup {
    return {
      hardState: this.#hardState,
      firstIndex: this.#firstIndex,
      lastIndex: this.#firstIndex + this.#entries.length - 1,
      termBeforeFirst: this.#termBeforeFirst,
      terms: termRuns(this.#entries),
      configurations: this.#entries.filter((entry) => entry.type === EntryType.CONFIGURATION).map(copy),
      withheld: withheldRange(this.#entries),
      identity: this.#identity,
    }
  }

  append(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#entries.push(entry)
  }

  truncateSuffix(lastKept: LogIndex): void {
    this.#entries.length = Math.max(0, Math.min(this.#entries.length, lastKept - this.#firstIndex + 1))
  }

  truncatePrefix(firstKept: LogIndex, termBeforeFirst: Term): void {
    this.#entries = this.#entries.slice(firstKept - this.#firstIndex)
    this.#firstIndex = firstKept
    this.#termBeforeFirst = termBeforeFirst
  }

  reset(nextIndex: LogIndex, termBeforeFirst: Term): void {
    this.#entries = []
    this.#firstIndex = nextIndex
    this.#termBeforeFirst = termBeforeFirst
  }

  saveHardState(state: HardState): void {
    this.#hardState = state
  }

  /** Copies of the entries from `from` to `to`, at least one, ending when their data exceeds `maxBytes`. */
  read(from: LogIndex, to: LogIndex, maxBytes: number): LogEntry[] {
    const found: LogEntry[] = []
    let bytes = 0
    for (const entry of this.#entries.slice(from - this.#firstIndex, to - this.#firstIndex + 1)) {
      bytes += entry.data.length
      if (bytes > maxBytes && found.length > 0) break
      found.push(copy(entry))
    }
    return found
  }
}

function copy(entry: LogEntry): LogEntry {
  return { ...entry, data: entry.data.slice() }
}

function termRuns(entries: readonly LogEntry[]): TermRun[] {
  const runs: TermRun[] = []
  for (const { index, term } of entries) {
    if (runs.at(-1)?.term !== term) runs.push({ firstIndex: index, term })
  }
  return runs
}
