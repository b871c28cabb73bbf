// What is on a simulated disk for one group: the records themselves, how each kind of write changes them, and which
// of them are damaged.

import { encodeConfiguration } from '../../log/configuration-codec.ts'
import {
  type Configuration,
  EntryType,
  type HardState,
  type LogEntry,
  type LogIndex,
  type Term,
} from '../../rules/types.ts'
import type { RowsRead } from '../../storage/claimed-read.ts'
import { type ReadLimits, StorageError, type StoredGroup, type TermRun } from '../../storage/storage.ts'
import { withheldRange } from '../../storage/withheld-range.ts'

export type WriteOp =
  | { readonly kind: 'append'; readonly entries: readonly LogEntry[] }
  | { readonly kind: 'truncateSuffix'; readonly lastKept: LogIndex }
  | { readonly kind: 'truncatePrefix'; readonly firstKept: LogIndex; readonly termBeforeFirst: Term }
  | { readonly kind: 'reset'; readonly nextIndex: LogIndex; readonly termBeforeFirst: Term }
  | { readonly kind: 'hardState'; readonly state: HardState }

/** The parts of a disk that faults are aimed at. */
export type StoreName = 'log' | 'meta' | 'snapshot'

export const storeOf = (op: WriteOp): StoreName => (op.kind === 'hardState' ? 'meta' : 'log')

/**
 * How a record is damaged at rest. `payload`: found when the entry is read. `header`: found when the group is opened.
 * `missing`: the row is gone, a gap, found when the group is opened (or read).
 */
export type Damage = 'payload' | 'header' | 'missing'

export class GroupImage {
  readonly group: string
  readonly identity: number
  hardState: HardState | null = null
  firstIndex: LogIndex = 1
  termBeforeFirst: Term = 0
  #entries: LogEntry[] = []
  readonly #damagedEntries = new Map<LogIndex, Damage>()
  #metaDamaged = false

  constructor(group: string, identity = 0) {
    this.group = group
    this.identity = identity
  }

  /** A log of one entry, which nobody of this life wrote: how an earlier one left the group. */
  static inherited(group: string, configuration: Configuration, identity = 0): GroupImage {
    const image = new GroupImage(group, identity)
    const data = encodeConfiguration(configuration)
    image.apply({ kind: 'hardState', state: { term: 1, votedFor: null } })
    image.apply({ kind: 'append', entries: [{ index: 1, term: 1, type: EntryType.CONFIGURATION, data }] })
    return image
  }

  get lastIndex(): LogIndex {
    return this.firstIndex + this.#entries.length - 1
  }

  /** The entry as it was written, damaged or not. For checkers. */
  entryAt(index: LogIndex): LogEntry | null {
    return this.#entries[index - this.firstIndex] ?? null
  }

  clone(): GroupImage {
    const copy = new GroupImage(this.group, this.identity)
    copy.hardState = this.hardState
    copy.firstIndex = this.firstIndex
    copy.termBeforeFirst = this.termBeforeFirst
    copy.#entries = [...this.#entries]
    for (const [index, damage] of this.#damagedEntries) copy.#damagedEntries.set(index, damage)
    copy.#metaDamaged = this.#metaDamaged
    return copy
  }

  apply(op: WriteOp): void {
    switch (op.kind) {
      case 'hardState':
        this.hardState = op.state
        this.#metaDamaged = false
        return
      case 'append':
        for (const entry of op.entries) {
          if (entry.index !== this.lastIndex + 1) {
            throw new Error(
              `Group ${this.group}: entry ${entry.index} appended after ${this.lastIndex}; the storage contract asks for ${this.lastIndex + 1}.`,
            )
          }
          this.#entries.push(entry)
        }
        return
      case 'truncateSuffix':
        if (op.lastKept < this.lastIndex)
          this.#entries.length = Math.max(0, op.lastKept + 1 - this.firstIndex)
        this.#forgetDamage()
        return
      case 'truncatePrefix':
        if (op.firstKept <= this.firstIndex) return
        this.#entries.splice(0, op.firstKept - this.firstIndex)
        this.firstIndex = op.firstKept
        this.termBeforeFirst = op.termBeforeFirst
        this.#forgetDamage()
        return
      case 'reset':
        this.#entries = []
        this.firstIndex = op.nextIndex
        this.termBeforeFirst = op.termBeforeFirst
        this.#forgetDamage()
    }
  }

  damageEntry(index: LogIndex, damage: Damage): void {
    if (this.entryAt(index) !== null) this.#damagedEntries.set(index, damage)
  }

  damageMeta(): void {
    if (this.hardState !== null) this.#metaDamaged = true
  }

  get damaged(): boolean {
    return this.#metaDamaged || this.#damagedEntries.size > 0
  }

  /** @throws StorageError CORRUPT for what an opening scan notices: headers, gaps, the meta record. */
  open(): StoredGroup {
    if (this.#metaDamaged) {
      throw new StorageError('CORRUPT', `The meta record of group ${this.group} fails its checksum.`)
    }
    for (const [index, damage] of this.#damagedEntries) {
      if (damage !== 'payload' || this.#isReadAtOpen(index)) throw this.#corrupt(index, damage)
    }
    return {
      hardState: this.hardState,
      firstIndex: this.firstIndex,
      lastIndex: this.lastIndex,
      termBeforeFirst: this.termBeforeFirst,
      terms: termRuns(this.#entries),
      configurations: this.#entries.filter((entry) => entry.type === EntryType.CONFIGURATION).map(copyEntry),
      withheld: withheldRange(this.#entries),
      ...(this.identity === 0 ? {} : { identity: this.identity }),
    }
  }

  /** @throws StorageError CORRUPT when one of the entries asked for is damaged. */
  read(from: LogIndex, limits: ReadLimits): LogEntry[] {
    const { entries, failure } = this.readRows(from, limits)
    if (failure !== null) throw failure.error
    return entries
  }

  /** The same, but damage ends the read behind the entries before it. */
  readRows(from: LogIndex, limits: ReadLimits): RowsRead & { readonly entries: LogEntry[] } {
    const entries: LogEntry[] = []
    let bytes = 0
    for (let index = from; entries.length < limits.maxEntries; index++) {
      const entry = this.entryAt(index)
      if (entry === null) break
      bytes += entry.data.byteLength
      if (entries.length > 0 && bytes > limits.maxBytes) break
      const damage = this.#damagedEntries.get(index)
      if (damage !== undefined) return { entries, failure: { index, error: this.#corrupt(index, damage) } }
      entries.push(copyEntry(entry))
    }
    return { entries, failure: null }
  }

  /** Configurations, and the entries where a term begins or ends. */
  #isReadAtOpen(index: LogIndex): boolean {
    const { type, term } = this.entryAt(index) ?? {}
    const isInside = this.entryAt(index - 1)?.term === term && this.entryAt(index + 1)?.term === term
    return type === EntryType.CONFIGURATION || !isInside
  }

  #corrupt(index: LogIndex, damage: Damage): StorageError {
    const what = damage === 'missing' ? 'is missing between its neighbors' : 'fails its checksum'
    return new StorageError('CORRUPT', `Entry ${index} of group ${this.group} ${what}.`)
  }

  #forgetDamage(): void {
    for (const index of [...this.#damagedEntries.keys()]) {
      if (this.entryAt(index) === null) this.#damagedEntries.delete(index)
    }
  }
}

export function copyEntry(entry: LogEntry): LogEntry {
  return { index: entry.index, term: entry.term, type: entry.type, data: new Uint8Array(entry.data) }
}

function termRuns(entries: readonly LogEntry[]): TermRun[] {
  const runs: TermRun[] = []
  for (const { index, term } of entries) {
    if (runs.at(-1)?.term !== term) runs.push({ firstIndex: index, term })
  }
  return runs
}
