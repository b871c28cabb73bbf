// Every entry that any log ever held, once: equal entries of different members become the same record, so that logs
// are compared by looking at new entries only (INV-5).

import { EntryType, type LogEntry, type LogIndex, type PeerId, type Term } from '../../rules/types.ts'
import type { DurableObservation, NodeObservation } from './observation.ts'
import { InvariantViolation } from './violation.ts'

export interface EntryRecord {
  readonly index: LogIndex
  readonly term: Term
  readonly type: EntryType
  readonly data: Uint8Array
  /** Term of the entry before it; null while only seen at the beginning of a compacted log. */
  previousTerm: Term | null
  readonly firstSeenAt: PeerId
}

export class LogRegistry {
  /** By index, then the few terms seen there. */
  readonly #records: EntryRecord[][] = []

  /**
   * The record of this entry. For each position there is one value in the whole history, and one term before it: by
   * induction two logs that agree at a position agree before it.
   */
  intern(node: PeerId, entry: LogEntry, previousTerm: Term | null): EntryRecord {
    let atIndex = this.#records[entry.index]
    if (atIndex === undefined) {
      atIndex = []
      this.#records[entry.index] = atIndex
    }
    const known = atIndex.find((record) => record.term === entry.term)
    if (known === undefined) {
      const { index, term, type, data } = entry
      const record = { index, term, type, data: Uint8Array.from(data), previousTerm, firstSeenAt: node }
      atIndex.push(record)
      return record
    }
    if (!isSameEntry(known, entry)) {
      throw new InvariantViolation(
        'INV-5',
        `Entry ${entry.index} of term ${entry.term} is one thing on ${known.firstSeenAt} and another on ${node}.`,
        { known, entry },
      )
    }
    if (previousTerm !== null) {
      if (known.previousTerm !== null && known.previousTerm !== previousTerm) {
        throw new InvariantViolation(
          'INV-5',
          `${node} has term ${previousTerm} before entry ${entry.index} of term ${entry.term}, ${known.firstSeenAt} had term ${known.previousTerm} there.`,
          { known, entry, previousTerm },
        )
      }
      known.previousTerm = previousTerm
    }
    return known
  }

  /** Whatever is on a disk is what some log said when it was first seen, byte by byte. */
  verifyDisk(node: PeerId, durable: DurableObservation | null): void {
    if (durable === null) return
    for (let index = durable.firstIndex; index <= durable.lastIndex; index++) {
      const entry = durable.entryAt(index)
      const record = entry === null ? null : this.find(index, entry.term)
      if (entry === null || record === null || isSameEntry(record, entry)) continue
      throw new InvariantViolation(
        'INV-5',
        `Entry ${index} of term ${entry.term} on the disk of ${node} has other bytes than it had when ${record.firstSeenAt} first showed it.`,
        { before: record, after: entry },
      )
    }
  }

  /** The record of an entry seen before, if any. */
  find(index: LogIndex, term: Term): EntryRecord | null {
    return this.#records[index]?.find((record) => record.term === term) ?? null
  }
}

/** What a witness keeps of data is the same entry, by its place and term. */
export function isSameEntry(record: EntryRecord, entry: LogEntry): boolean {
  if (record.index !== entry.index || record.term !== entry.term) return false
  if (record.type === EntryType.DATA && entry.type === EntryType.WITHHELD) return true
  return record.type === entry.type && Buffer.compare(record.data, entry.data) === 0
}

/** True when the disk holds exactly this entry, or has it behind its first index or in a snapshot. */
export function isDurable(durable: DurableObservation | null, record: EntryRecord): boolean {
  if (durable?.snapshot !== undefined && durable.snapshot !== null && durable.snapshot.index >= record.index)
    return true
  if (durable === null || durable.lastIndex < record.index) return false
  if (record.index < durable.firstIndex) return true
  const entry = durable.entryAt(record.index)
  return entry !== null && isSameEntry(record, entry)
}

/** How a log changed from one observation to the next. */
export interface LogChange {
  /** Records no longer there, ascending; without those compacted at the front. */
  readonly removed: readonly EntryRecord[]
  readonly added: readonly EntryRecord[]
}

const NO_CHANGE: LogChange = { removed: [], added: [] }

/** The log of one member as records. */
export class MirroredLog {
  readonly #registry: LogRegistry
  readonly #node: PeerId
  #records: EntryRecord[] = []
  #firstIndex: LogIndex = 1
  /** The newest entry as the node had it: when it is the same object nothing has changed. */
  #lastSeen: LogEntry | null = null

  constructor(registry: LogRegistry, node: PeerId) {
    this.#registry = registry
    this.#node = node
  }

  get firstIndex(): LogIndex {
    return this.#firstIndex
  }

  get lastIndex(): LogIndex {
    return this.#firstIndex + this.#records.length - 1
  }

  at(index: LogIndex): EntryRecord | null {
    return this.#records[index - this.#firstIndex] ?? null
  }

  /** Takes over what changed at the end of the log. Costs as much as there is new. */
  sync(view: NodeObservation): LogChange {
    const { firstIndex, lastIndex } = view
    const lastEntry = view.entryAt(lastIndex)
    if (
      firstIndex === this.#firstIndex &&
      lastIndex === this.lastIndex &&
      (lastEntry === this.#lastSeen || lastIndex < firstIndex)
    ) {
      return NO_CHANGE
    }
    this.#lastSeen = lastEntry
    this.#compact(firstIndex)
    let kept = Math.min(lastIndex, this.lastIndex)
    while (kept >= this.#firstIndex && !this.#holds(view, kept)) kept--
    const removed = this.#records.splice(Math.max(0, kept + 1 - this.#firstIndex))
    const added: EntryRecord[] = []
    for (let index = Math.max(kept + 1, firstIndex); index <= lastIndex; index++) {
      added.push(this.#append(view, index))
    }
    return { removed, added }
  }

  /** Compares the whole log, also where nothing seems to have changed. */
  verify(view: NodeObservation): void {
    for (let index = view.firstIndex; index <= view.lastIndex; index++) {
      const entry = view.entryAt(index)
      const record = this.at(index)
      if (entry === null || record === null || isSameEntry(record, entry)) continue
      throw new InvariantViolation(
        'INV-5',
        `Entry ${index} of ${this.#node} changed in the middle of its log while the end stayed.`,
        { before: record, after: entry },
      )
    }
  }

  clear(): void {
    this.#records = []
    this.#firstIndex = 1
    this.#lastSeen = null
  }

  #holds(view: NodeObservation, index: LogIndex): boolean {
    const record = this.at(index)
    const entry = view.entryAt(index)
    return record !== null && entry !== null && isSameEntry(record, entry)
  }

  #append(view: NodeObservation, index: LogIndex): EntryRecord {
    const entry = view.entryAt(index)
    if (entry === null || entry.index !== index) {
      throw new InvariantViolation(
        'INV-21',
        `The log of ${this.#node} has a hole: entry ${index} is missing between ${view.firstIndex} and ${view.lastIndex}.`,
      )
    }
    const previousTerm = index === 1 ? 0 : (this.at(index - 1)?.term ?? null)
    const record = this.#registry.intern(this.#node, entry, previousTerm)
    this.#records.push(record)
    return record
  }

  #compact(firstIndex: LogIndex): void {
    if (firstIndex === this.#firstIndex) return
    if (firstIndex > this.#firstIndex) this.#records.splice(0, firstIndex - this.#firstIndex)
    else this.#records = []
    this.#firstIndex = firstIndex
  }
}
