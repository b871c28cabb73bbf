// The database as the disk thread sees it: one transaction per request, opening groups, and housekeeping that is cut
// into slices so that no request waits long for it.

import Database from 'better-sqlite3'
import { StorageError, type StoredGroup } from '../storage.ts'
import { createDataDirectory, databaseFile, lockDataDirectory, refuseLoneWal } from './data-directory.ts'
import { type Failure, toFailure, toStorageError } from './failure.ts'
import { LogReader } from './log-reader.ts'
import { LogTable } from './log-table.ts'
import type { DiskOptions, OpenedGroup } from './messages.ts'
import { type MetaRecord, MetaTable } from './meta-table.ts'
import { type Operation, unpackOperations } from './operations.ts'
import { configureDatabase, MAX_INDEX, prepareTables } from './schema.ts'
import { findTermRuns } from './term-runs.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

/** How long a statement waits for another program that has the database open, such as the sqlite3 shell. */
const BUSY_TIMEOUT_MS = 5000
/** Dropped rows removed along with each transaction while some are left: 0.1 ms for 256 rows. */
const PURGE_ROWS_PER_WRITE = 256
/** More of them for every row appended, so that dropped rows become fewer under any load. */
const PURGE_ROWS_PER_APPENDED_ROW = 2
/** Dropped rows removed at once while nobody waits. */
const PURGE_ROWS_WHEN_QUIET = 8192

export class Disk {
  readonly #lock: Database.Database
  readonly #db: Database.Database
  readonly #wal: WriteAheadLog
  readonly #meta: MetaTable
  readonly #log: LogTable
  readonly #reader: LogReader
  readonly #begin: Database.Statement<[]>
  readonly #commit: Database.Statement<[]>
  /**
   * Group number to first index: rows below it are dropped but still there. Dropping a prefix of a million entries
   * moves the first index, at once and durably; the rows go in slices afterwards, also after a restart.
   */
  readonly #dropped = new Map<number, number>()
  #failure: Failure | null = null

  /** Opens or creates the database. @throws StorageError when the directory cannot be used; nothing stays open then. */
  constructor(options: DiskOptions) {
    createDataDirectory(options.dataDir)
    this.#lock = lockDataDirectory(options.dataDir)
    let db: Database.Database | null = null
    try {
      const file = databaseFile(options.dataDir)
      refuseLoneWal(file)
      db = new Database(file, { timeout: BUSY_TIMEOUT_MS })
      configureDatabase(db, options.maxDatabaseBytes)
      prepareTables(db, options.hostId)
      this.#wal = new WriteAheadLog(db, options.maxWalBytes)
      // After a crash of the process alone, commits may be visible that were never synced; a checkpoint syncs them
      // before anybody builds on them.
      this.#wal.checkpoint()
      this.#meta = new MetaTable(db)
      this.#log = new LogTable(db)
      this.#reader = new LogReader(db)
      this.#begin = db.prepare('BEGIN IMMEDIATE')
      this.#commit = db.prepare('COMMIT')
    } catch (error) {
      db?.close()
      this.#lock.close()
      throw toStorageError(error, `opening ${databaseFile(options.dataDir)}`)
    }
    this.#db = db
  }

  /** Opens the groups, creating what is not there, in one transaction. */
  openGroups(names: readonly string[]): OpenedGroup[] {
    let results: OpenedGroup[] = []
    const failure = this.#transaction('opening groups', () => {
      results = names.map((name) => this.#openGroup(name))
    })
    return failure === null ? results : names.map(() => ({ ok: false, failure }))
  }

  /** Carries out packed operations in one transaction; durable when it returns `null`. */
  write(buffer: ArrayBuffer, byteLength: number): Failure | null {
    return this.#transaction('writing', () => {
      let appended = 0
      for (const operation of unpackOperations(buffer, byteLength)) {
        this.#apply(operation)
        if (operation.kind === 'append') appended += operation.count
      }
      if (this.#dropped.size > 0) this.#purge(PURGE_ROWS_PER_WRITE + PURGE_ROWS_PER_APPENDED_ROW * appended)
    })
  }

  /** Housekeeping that cannot wait for a quiet moment. To be called after the answer is out. */
  afterWrite(): Failure | null {
    return this.#guard('moving the write-ahead log into the database', () => this.#wal.checkpointWhenFull())
  }

  /** One slice of housekeeping while nobody waits. @returns whether more is left. */
  whenQuiet(): { readonly more: boolean; readonly failure: Failure | null } {
    if (this.#dropped.size === 0) {
      const failure = this.#guard('moving the write-ahead log into the database', () =>
        this.#wal.checkpointWhenUseful(),
      )
      return { more: false, failure }
    }
    const failure =
      this.#transaction('removing dropped entries', () => this.#purge(PURGE_ROWS_WHEN_QUIET)) ??
      this.afterWrite()
    return { more: failure === null, failure }
  }

  close(): Failure | null {
    const failure = this.#guard('closing', () => {
      this.#wal.truncate()
      this.#db.close()
    })
    this.#db.close()
    this.#lock.close()
    return failure
  }

  #openGroup(name: string): OpenedGroup {
    let record: MetaRecord
    try {
      record = this.#meta.open(name)
    } catch (error) {
      // A refusal concerns this group. A record that could not be written fails the transaction.
      if (error instanceof StorageError) return { ok: false, failure: toFailure(error, 'opening') }
      throw error
    }
    try {
      return { ok: true, number: record.number, stored: this.#scan(record) }
    } catch (error) {
      return { ok: false, failure: toFailure(error, `opening group ${name}`) }
    }
  }

  #scan(group: MetaRecord): StoredGroup {
    const { firstIndex, termBeforeFirst, hardState } = group
    const lastIndex = Math.max(this.#reader.lastIndex(group, 0), firstIndex - 1)
    this.#reader.requireAll(group, firstIndex, lastIndex)
    const terms = findTermRuns(firstIndex, lastIndex, {
      peek: (index) => this.#reader.term(group, index),
      verified: (index) => this.#reader.entry(group, index).term,
    })
    if (typeof terms === 'number') {
      throw new StorageError(
        'CORRUPT',
        `The log of group ${group.name} is damaged: the term goes back at index ${terms}.`,
      )
    }
    if (this.#log.firstIndex(group.number, firstIndex - 1) !== undefined)
      this.#dropped.set(group.number, firstIndex)
    const configurations = this.#reader.configurations(group, firstIndex, lastIndex)
    return { hardState, firstIndex, lastIndex, termBeforeFirst, terms, configurations }
  }

  #apply(operation: Operation): void {
    const { group } = operation
    switch (operation.kind) {
      case 'append':
        this.#log.insert(operation)
        break
      case 'truncateSuffix':
        this.#log.delete(group, operation.lastKept + 1, MAX_INDEX)
        break
      case 'truncatePrefix':
        this.#meta.saveStart(group, operation.firstIndex, operation.termBeforeFirst)
        this.#dropped.set(group, operation.firstIndex)
        break
      case 'reset':
        // Below the new start rows may wait for their removal; at and above it the next append needs the place.
        this.#log.delete(group, operation.firstIndex, MAX_INDEX)
        this.#meta.saveStart(group, operation.firstIndex, operation.termBeforeFirst)
        this.#dropped.set(group, operation.firstIndex)
        break
      case 'hardState':
        this.#meta.saveHardState(group, operation.state)
        break
    }
  }

  /** Removes about `maxRows` dropped rows. */
  #purge(maxRows: number): void {
    let left = maxRows
    for (const [group, firstIndex] of this.#dropped) {
      const from = this.#log.firstIndex(group, firstIndex - 1)
      if (from === undefined) this.#dropped.delete(group)
      else left -= this.#log.delete(group, from, Math.min(firstIndex - 1, from + left - 1))
      if (left <= 0) return
    }
  }

  /** What fails here is gone as a whole, and so is this storage: a sync that failed is never tried again. */
  #transaction(doing: string, work: () => void): Failure | null {
    return this.#guard(doing, () => {
      this.#begin.run()
      work()
      this.#commit.run()
    })
  }

  #guard(doing: string, work: () => void): Failure | null {
    if (this.#failure !== null) return this.#failure
    try {
      work()
    } catch (error) {
      this.#failure = toFailure(error, doing)
      this.#rollBack()
    }
    return this.#failure
  }

  #rollBack(): void {
    try {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
    } catch {
      // The first error is the one to report; after it nothing is written any more.
    }
  }
}
