// The database as the disk thread sees it: one transaction per request, and opening groups and housekeeping cut into
// slices, so that no request waits long for them.

import Database from 'better-sqlite3'
import { type DiskStatus, StorageError } from '../storage.ts'
import { createDataDirectory, databaseFile, lockDataDirectory, refuseLoneWal } from './data-directory.ts'
import { type Failure, toFailure, toStorageError } from './failure.ts'
import { FileWatch } from './file-watch.ts'
import { scanGroup } from './group-scan.ts'
import { IdentityTable } from './identity-table.ts'
import { LogReader } from './log-reader.ts'
import { LogTable } from './log-table.ts'
import type { DiskOptions, OpenedGroup } from './messages.ts'
import { type MetaRecord, MetaTable } from './meta-table.ts'
import { type Operation, unpackOperations } from './operations.ts'
import { configureDatabase, MAX_INDEX, prepareTables } from './schema.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

/** How long a statement waits for another program that has the database open, such as the sqlite3 shell. */
const BUSY_TIMEOUT_MS = 5000
/** Dropped rows removed along with each transaction while some are left: 0.1 ms for 256 rows. */
const PURGE_ROWS_PER_WRITE = 256
/** More of them for every row appended, so that dropped rows become fewer under any load. */
const PURGE_ROWS_PER_APPENDED_ROW = 2
/** Dropped rows removed at once while nobody waits. */
const PURGE_ROWS_WHEN_QUIET = 8192
/** Readers of this thread's own process come and go in less. */
const BLOCKED_WHEN_LONGER_MS = 1000

/**
 * A commit is acknowledged without another look at the files when the last look is no longer ago. A look after every
 * commit took 35 µs of the thread each time, a tenth of the throughput.
 */
export const FILES_TRUSTED_MS = 20

/** Finds step by step what a group holds. */
export type GroupOpening = Generator<void, OpenedGroup, void>

export class Disk {
  readonly #lock: Database.Database
  readonly #db: Database.Database
  readonly #files: FileWatch
  readonly #nowMs: () => number
  readonly #wal: WriteAheadLog
  readonly #meta: MetaTable
  readonly #identities: IdentityTable
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
  #walBytes = 0
  #filesSeenMs = Number.NEGATIVE_INFINITY

  /** Opens or creates the database. @throws StorageError when the directory cannot be used; nothing stays open then. */
  constructor(options: DiskOptions, nowMs: () => number) {
    this.#nowMs = nowMs
    createDataDirectory(options.dataDir)
    this.#lock = lockDataDirectory(options.dataDir)
    let db: Database.Database | null = null
    try {
      const file = databaseFile(options.dataDir)
      refuseLoneWal(file)
      db = new Database(file, { timeout: BUSY_TIMEOUT_MS })
      configureDatabase(db, options.maxDatabaseBytes)
      prepareTables(db, options.hostId)
      this.#wal = new WriteAheadLog(db, options.maxWalBytes, nowMs)
      // After a crash of the process alone, commits may be visible that were never synced; a checkpoint syncs them
      // before anybody builds on them.
      this.#wal.checkpoint()
      this.#meta = new MetaTable(db)
      this.#identities = new IdentityTable(db)
      this.#log = new LogTable(db)
      this.#reader = new LogReader(db)
      this.#begin = db.prepare('BEGIN IMMEDIATE')
      this.#commit = db.prepare('COMMIT')
      this.#files = new FileWatch(options.dataDir)
    } catch (error) {
      db?.close()
      this.#lock.close()
      throw toStorageError(error, `opening ${databaseFile(options.dataDir)}`)
    }
    this.#db = db
  }

  /** Creates the groups that are not there, durably and in one transaction; then each opening goes its own pace. */
  openGroups(names: readonly string[]): GroupOpening[] {
    let records: (MetaRecord | Failure)[] = []
    const failure = this.#transaction('opening groups', () => {
      records = names.map((name) => this.#record(name))
    })
    return names.map((name, position) => this.#opening(name, failure ?? records[position]))
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
      const failure = this.#guard('moving the write-ahead log into the database', () => {
        this.#wal.checkpointWhenUseful()
        this.#wal.shortenWhenLarge(this.#walBytes)
      })
      return { more: false, failure }
    }
    const failure =
      this.#transaction('removing dropped entries', () => this.#purge(PURGE_ROWS_WHEN_QUIET)) ??
      this.afterWrite()
    return { more: failure === null, failure }
  }

  /** Whether what is written here would be found by whoever opens the directory. */
  checkFiles(): Failure | null {
    return this.#guard('looking at its files', () => {
      this.#walBytes = this.#files.checkAll()
    })
  }

  /** The write-ahead log wants housekeeping though nobody writes. */
  get isWalLarge(): boolean {
    return this.#wal.isLarge(this.#walBytes)
  }

  status(): DiskStatus {
    const blockedMs = this.#wal.blockedMs ?? 0
    return {
      walBytes: this.#walBytes,
      databaseBytes: this.#files.databaseBytes,
      freeBytes: this.#files.freeBytes,
      blockedByReaderMs: blockedMs > BLOCKED_WHEN_LONGER_MS ? blockedMs : null,
    }
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

  /** A refusal concerns this group. A record that could not be written fails the transaction. */
  #record(name: string): MetaRecord | Failure {
    try {
      const record = this.#meta.open(name)
      this.#identities.ensure(record.number)
      return record
    } catch (error) {
      if (error instanceof StorageError) return toFailure(error, 'opening')
      throw error
    }
  }

  *#opening(name: string, record: MetaRecord | Failure | undefined): GroupOpening {
    if (record === undefined) throw new TypeError(`no record was made for group ${name}`)
    if ('message' in record) return { ok: false, failure: record }
    try {
      const stored = yield* scanGroup(record, this.#reader, this.#nowMs)
      const { number, firstIndex } = record
      if (this.#log.firstIndex(number, firstIndex - 1) !== undefined) this.#dropped.set(number, firstIndex)
      const identity = this.#identities.of(number)
      return this.#failure === null
        ? { ok: true, number, stored: { identity, ...stored } }
        : { ok: false, failure: this.#failure }
    } catch (error) {
      return { ok: false, failure: toFailure(error, `opening group ${name}`) }
    }
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

  /**
   * What fails here is gone as a whole, and so is this storage: a sync that failed is never tried again. What was
   * committed counts only if the files are still the ones of this directory.
   */
  #transaction(doing: string, work: () => void): Failure | null {
    return (
      this.#guard(doing, () => {
        this.#begin.run()
        work()
        this.#commit.run()
      }) ?? this.#checkCommitted()
    )
  }

  #checkCommitted(): Failure | null {
    const nowMs = this.#nowMs()
    if (nowMs - this.#filesSeenMs <= FILES_TRUSTED_MS) return this.#failure
    return this.#guard('looking at its files', () => {
      this.#walBytes = this.#files.checkCommitted()
      this.#filesSeenMs = nowMs
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
