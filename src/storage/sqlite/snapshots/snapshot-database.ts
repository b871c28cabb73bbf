// The file snapshots.db: opened, and kept from piling up what is not yet on the disk.

import { closeSync, fdatasync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { snapshotsFile } from '../data-directory.ts'
import { toStorageError } from '../failure.ts'
import { prepareTables } from '../schema.ts'
import type { SnapshotThreadOptions } from './snapshot-messages.ts'
import { configureSnapshotDatabase, SNAPSHOT_STEPS } from './snapshot-schema.ts'
import { SqliteTables } from './sqlite-tables.ts'

/** How long opening waits for another program that has the file open. */
const BUSY_TIMEOUT_MS = 5000
/** The disk begins with so much at a time. */
const WRITE_BEHIND_BYTES = 4 * 1024 * 1024

export class SnapshotDatabase {
  readonly tables: SqliteTables
  readonly #db: Database.Database
  /** Closed after the database: closing a file ends this process's locks on it. */
  readonly #descriptor: number
  #isSyncing = false
  #isClosed = false
  #bytesSynced = 0

  /** Opens or creates it. @throws whatever SQLite throws, or a StorageError; nothing stays open then. */
  constructor({ dataDir, hostId, maxBytes }: SnapshotThreadOptions) {
    const db = new Database(snapshotsFile(dataDir), { timeout: BUSY_TIMEOUT_MS })
    try {
      configureSnapshotDatabase(db, maxBytes)
      prepareTables(db, hostId, SNAPSHOT_STEPS)
      this.tables = new SqliteTables(db)
      this.#descriptor = openSync(db.name, 'r+')
    } catch (error) {
      db.close()
      throw error
    }
    this.#db = db
  }

  /**
   * Lets the disk begin with what has been written, while more comes: the sync of the next commit has less to do then,
   * and other files of this disk need not wait for it.
   */
  writeBehind(): void {
    const { bytesPut } = this.tables
    if (this.#isSyncing || bytesPut - this.#bytesSynced < WRITE_BEHIND_BYTES) return
    this.#bytesSynced = bytesPut
    this.#isSyncing = true
    fdatasync(this.#descriptor, (error) => {
      this.#isSyncing = false
      // Whether there is space, the commit will find out, and fails only who writes.
      if (error !== null && error.code !== 'ENOSPC')
        this.tables.fail(toStorageError(error, 'writing a snapshot'))
      if (this.#isClosed) closeSync(this.#descriptor)
    })
  }

  /** What is not committed is lost. */
  close(): void {
    this.#isClosed = true
    this.#db.close()
    if (!this.#isSyncing) closeSync(this.#descriptor)
  }
}
