// The meta record of every group: hard state and where the log begins. Held in memory by the disk thread, written
// through, and checked by a checksum when it is loaded.

import type { Database, Statement } from 'better-sqlite3'
import type { HardState, LogIndex, Term } from '../../rules/types.ts'
import { StorageError } from '../storage.ts'
import { recordChecksum } from './checksum.ts'
import { MAX_GROUPS } from './schema.ts'

export interface MetaRecord {
  readonly number: number
  readonly name: string
  readonly hardState: HardState | null
  readonly firstIndex: LogIndex
  readonly termBeforeFirst: Term
}

type Columns = [
  number: number,
  name: string,
  term: number | null,
  votedFor: string | null,
  firstIndex: number,
  termBeforeFirst: number,
]

export class MetaTable {
  readonly #byName = new Map<string, MetaRecord | StorageError>()
  readonly #byNumber = new Map<number, MetaRecord>()
  readonly #insert: Statement<[...Columns, checksum: number]>
  readonly #damaged: StorageError | null
  #greatestNumber = 0

  /** Reads every record; a damaged one is kept as the error that opening its group is answered with. */
  constructor(db: Database) {
    this.#insert = db.prepare('REPLACE INTO meta VALUES (?, ?, ?, ?, ?, ?, ?)')
    let damaged: StorageError | null = null
    for (const row of db.prepare<[], unknown[]>('SELECT * FROM meta').raw().iterate()) {
      const record = parseRow(row)
      this.#greatestNumber = Math.max(this.#greatestNumber, Number(row[0]))
      this.#byName.set(String(row[1]), record)
      if (record instanceof StorageError) damaged = record
      else this.#byNumber.set(record.number, record)
    }
    this.#damaged = damaged ?? this.#findOrphans(db)
  }

  /** Every group's record, or what is wrong with it. */
  get records(): readonly (MetaRecord | StorageError)[] {
    return [...this.#byName.values()]
  }

  /** The record of a group, or what is wrong with it; undefined: there is none. */
  find(name: string): MetaRecord | StorageError | undefined {
    return this.#byName.get(name)
  }

  /**
   * The record of a group, created when there is none.
   * @throws StorageError CORRUPT when it is damaged, or missing while a damaged record or entries without a record
   * could be what is left of it: "term 0, no vote" must never be said of a member that voted.
   */
  open(name: string): MetaRecord {
    const known = this.#byName.get(name)
    if (known instanceof StorageError) throw known
    if (known !== undefined) return known
    if (this.#damaged !== null) {
      throw new StorageError(
        'CORRUPT',
        `Group ${name} has no meta record, and it may have been lost: ${this.#damaged.message}`,
      )
    }
    if (this.#greatestNumber >= MAX_GROUPS) {
      throw new StorageError(
        'FULL',
        `Group ${name} cannot be created: a database holds ${MAX_GROUPS} groups.`,
      )
    }
    const number = this.#greatestNumber + 1
    return this.#save({ number, name, hardState: null, firstIndex: 1, termBeforeFirst: 0 })
  }

  saveHardState(group: number, hardState: HardState): void {
    this.#save({ ...this.#get(group), hardState })
  }

  saveStart(group: number, firstIndex: LogIndex, termBeforeFirst: Term): void {
    this.#save({ ...this.#get(group), firstIndex, termBeforeFirst })
  }

  #get(group: number): MetaRecord {
    const record = this.#byNumber.get(group)
    if (record === undefined) throw new TypeError(`group number ${group} was never opened`)
    return record
  }

  #save(record: MetaRecord): MetaRecord {
    const columns = columnsOf(record)
    this.#insert.run(...columns, recordChecksum(columns))
    this.#greatestNumber = Math.max(this.#greatestNumber, record.number)
    this.#byName.set(record.name, record)
    this.#byNumber.set(record.number, record)
    return record
  }

  /** Entries whose group has no meta record. Hops from group to group, whatever they hold. */
  #findOrphans(db: Database): StorageError | null {
    const next = db
      .prepare<[number], number>(
        'SELECT position >> 48 FROM log_entries WHERE position >= ? << 48 ORDER BY position LIMIT 1',
      )
      .pluck()
    for (let group = next.get(0); group !== undefined; group = next.get(group + 1)) {
      if (!this.#byNumber.has(group)) {
        return new StorageError(
          'CORRUPT',
          `The log has entries of group number ${group}, which has no meta record.`,
        )
      }
    }
    return null
  }
}

function columnsOf({ number, name, hardState, firstIndex, termBeforeFirst }: MetaRecord): Columns {
  return [number, name, hardState?.term ?? null, hardState?.votedFor ?? null, firstIndex, termBeforeFirst]
}

function parseRow(row: readonly unknown[]): MetaRecord | StorageError {
  const [number, name, term, votedFor, firstIndex, termBeforeFirst, checksum] = row
  if (
    typeof number === 'number' &&
    typeof name === 'string' &&
    (typeof term === 'number' || term === null) &&
    (typeof votedFor === 'string' || votedFor === null) &&
    typeof firstIndex === 'number' &&
    typeof termBeforeFirst === 'number' &&
    recordChecksum([number, name, term, votedFor, firstIndex, termBeforeFirst]) === checksum
  ) {
    return { number, name, hardState: term === null ? null : { term, votedFor }, firstIndex, termBeforeFirst }
  }
  return new StorageError(
    'CORRUPT',
    `The meta record of group ${String(name)} (number ${String(number)}) is damaged: its checksum does not fit, so its term and vote are unknown. Remove this member and let it join again with an empty data directory.`,
  )
}
