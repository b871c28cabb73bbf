// Reads entries back and checks each: its checksum, and that none is missing. Used by the main thread on a read-only
// connection and by the disk thread while it opens groups.

import type { Database, Statement } from 'better-sqlite3'
import { EntryType, type IndexRange, type LogEntry, type LogIndex, type Term } from '../../rules/types.ts'
import type { RowsRead } from '../claimed-read.ts'
import { isEntryType, StorageError } from '../storage.ts'
import { EntryChecksum } from './checksum.ts'
import { toStorageError } from './failure.ts'
import { INDEX_OF_POSITION, MAX_INDEX, positionOf } from './schema.ts'

const COLUMNS = `${INDEX_OF_POSITION}, term, type, checksum, data`

type Range = [from: bigint, to: bigint]

/** A group as it is numbered on disk and named in messages. */
export interface GroupIdentity {
  readonly number: number
  readonly name: string
}

export class LogReader {
  readonly #checksum = new EntryChecksum()
  readonly #range: Statement<Range, unknown[]>
  readonly #term: Statement<[position: bigint], unknown>
  readonly #count: Statement<Range, number>
  readonly #last: Statement<Range, number>
  readonly #border: Statement<Range, number>
  readonly #configurations: Statement<[...Range, limit: number], unknown[]>
  readonly #firstWithheld: Statement<Range, number>
  readonly #lastWithheld: Statement<Range, number>

  constructor(db: Database) {
    const inRange = 'FROM log_entries WHERE position BETWEEN ? AND ?'
    this.#range = db.prepare<Range, unknown[]>(`SELECT ${COLUMNS} ${inRange} ORDER BY position`).raw()
    this.#term = db.prepare<[bigint], unknown>('SELECT term FROM log_entries WHERE position = ?').pluck()
    this.#count = db.prepare<Range, number>(`SELECT count(*) ${inRange}`).pluck()
    this.#last = db
      .prepare<Range, number>(`SELECT ${INDEX_OF_POSITION} ${inRange} ORDER BY position DESC LIMIT 1`)
      .pluck()
    this.#border = db
      .prepare<Range, number>(
        `SELECT ${INDEX_OF_POSITION} ${inRange} AND NOT EXISTS
           (SELECT 1 FROM log_entries AS next WHERE next.position = log_entries.position + 1)
         ORDER BY position LIMIT 1`,
      )
      .pluck()
    this.#configurations = db
      .prepare<[...Range, number], unknown[]>(
        `SELECT ${COLUMNS} ${inRange} AND type = 3 ORDER BY position LIMIT ?`,
      )
      .raw()
    const withheld = `SELECT ${INDEX_OF_POSITION} ${inRange} AND type = 4 ORDER BY position`
    this.#firstWithheld = db.prepare<Range, number>(`${withheld} LIMIT 1`).pluck()
    this.#lastWithheld = db.prepare<Range, number>(`${withheld} DESC LIMIT 1`).pluck()
  }

  /**
   * The entries from `from` to `to`, all of which must be there; ends early, after at least one, when their data
   * exceeds `maxBytes`.
   */
  read(group: GroupIdentity, from: LogIndex, to: LogIndex, maxBytes: number): LogEntry[] {
    const { entries, failure } = this.readRows(group, from, to, maxBytes)
    if (failure !== null) throw failure.error
    return entries
  }

  /** The same, but what is wrong with a row ends the read behind the entries before it. */
  readRows(
    group: GroupIdentity,
    from: LogIndex,
    to: LogIndex,
    maxBytes: number,
  ): RowsRead & { readonly entries: LogEntry[] } {
    const entries: LogEntry[] = []
    let bytes = 0
    let index = from
    try {
      for (const row of this.#range.iterate(positionOf(group.number, from), positionOf(group.number, to))) {
        const entry = this.#parse(group, row, index)
        bytes += entry.data.length
        if (bytes > maxBytes && entries.length > 0) return { entries, failure: null }
        entries.push(entry)
        index++
      }
    } catch (error) {
      const failed = toStorageError(error, `reading index ${index} of group ${group.name}`)
      return { entries, failure: { index, error: failed } }
    }
    return { entries, failure: index <= to ? { index, error: missing(group, index) } : null }
  }

  /** The last index that has a row, or `otherwise`. */
  lastIndex(group: GroupIdentity, otherwise: LogIndex): LogIndex {
    return this.#last.get(positionOf(group.number, 0), positionOf(group.number, MAX_INDEX)) ?? otherwise
  }

  /** @throws StorageError CORRUPT naming the first index between `from` and `to` that has no row. Reads keys only. */
  requireAll(group: GroupIdentity, from: LogIndex, to: LogIndex): void {
    const range: Range = [positionOf(group.number, from), positionOf(group.number, to)]
    if (to < from || this.#count.get(...range) === to - from + 1) return
    const first = this.#range.get(range[0], range[0])
    throw missing(group, first === undefined ? from : (this.#border.get(...range) ?? from) + 1)
  }

  term(group: GroupIdentity, index: LogIndex): Term {
    return Number(this.#term.get(positionOf(group.number, index)))
  }

  entry(group: GroupIdentity, index: LogIndex): LogEntry {
    const row = this.#range.get(positionOf(group.number, index), positionOf(group.number, index))
    if (row === undefined) throw missing(group, index)
    return this.#parse(group, row, index)
  }

  /** The first configuration entries from `from` to `to`, at most `limit` of them. */
  configurations(group: GroupIdentity, from: LogIndex, to: LogIndex, limit: number): LogEntry[] {
    const rows = this.#configurations.all(positionOf(group.number, from), positionOf(group.number, to), limit)
    return rows.map((row) => this.#parse(group, row, Number(row[0])))
  }

  /** From the first to the last entry without its payload, between `from` and `to`; null: there is none. */
  withheld(group: GroupIdentity, from: LogIndex, to: LogIndex): IndexRange | null {
    const range: Range = [positionOf(group.number, from), positionOf(group.number, to)]
    const [first, last] = [this.#firstWithheld.get(...range), this.#lastWithheld.get(...range)]
    return first === undefined || last === undefined ? null : { first, last }
  }

  #parse(group: GroupIdentity, row: readonly unknown[], expected: LogIndex): LogEntry {
    const [index, term, type, checksum, data] = row
    if (index !== expected) throw missing(group, expected)
    if (
      typeof term === 'number' &&
      Number.isSafeInteger(term) &&
      term >= 0 &&
      isEntryType(type) &&
      data instanceof Uint8Array &&
      (type !== EntryType.WITHHELD || data.length === 0) &&
      this.#checksum.of(group.number, term, type, expected, data) === checksum
    ) {
      return { index: expected, term, type, data }
    }
    throw new StorageError(
      'CORRUPT',
      `The log of group ${group.name} is damaged at index ${expected}: the entry does not fit its checksum.`,
    )
  }
}

function missing(group: GroupIdentity, index: LogIndex): StorageError {
  return new StorageError(
    'CORRUPT',
    `The log of group ${group.name} is damaged: the entry at index ${index} is missing.`,
  )
}
