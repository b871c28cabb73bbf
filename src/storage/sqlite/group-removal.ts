// Takes one group out of a data directory while nobody runs on it: its snapshots, then its log with term, vote and identity.
// Holds the directory's lock until it is closed.

import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { SnapshotMeta } from '../../rules/types.ts'
import { StorageError, type StoredGroup } from '../storage.ts'
import { databaseFile, lockDataDirectory, snapshotsFile } from './data-directory.ts'
import { sqliteCode, toStorageError } from './failure.ts'
import { scanGroup } from './group-scan.ts'
import { LogReader } from './log-reader.ts'
import { LogTable } from './log-table.ts'
import { type MetaRecord, MetaTable } from './meta-table.ts'
import { configureDatabase, MAX_INDEX, prepareTables } from './schema.ts'
import { configureSnapshotDatabase, SNAPSHOT_STEPS } from './snapshots/snapshot-schema.ts'
import { SqliteTables } from './snapshots/sqlite-tables.ts'

/** Of a snapshot, removed in one transaction: 64 MiB. */
const CHUNKS_PER_STEP = 256

/** What there is to know of a group before it goes. */
export interface LeftGroup {
  readonly stored: StoredGroup
  /** What its newest snapshot stands for; null: there is none, or it cannot be read. */
  readonly snapshot: SnapshotMeta | null
}

export class GroupRemoval {
  readonly hostId: string
  readonly #dataDir: string
  readonly #lock: Database.Database
  readonly #db: Database.Database
  readonly #meta: MetaTable
  /** Null: there has never been a snapshot. */
  readonly #snapshots: Database.Database | null

  /**
   * @throws StorageError IO when there are no files of a member or they cannot be opened, LOCKED when a process has them,
   *   CORRUPT when they are none of ours, VERSION when a newer Quorate wrote them. Nothing stays open then.
   */
  constructor(dataDir: string) {
    const file = databaseFile(dataDir)
    if (!existsSync(file))
      throw new StorageError('IO', `There is no ${file}: no member has been started with this directory.`)
    const open: Database.Database[] = []
    const opened = (path: string): Database.Database => {
      const db = new Database(path, { fileMustExist: true })
      open.unshift(db)
      return db
    }
    try {
      this.#lock = lockDataDirectory(dataDir)
      open.unshift(this.#lock)
      this.#db = opened(file)
      this.hostId = String(this.#db.prepare('SELECT host_id FROM host').pluck().get())
      configureDatabase(this.#db, null)
      prepareTables(this.#db, this.hostId)
      this.#meta = new MetaTable(this.#db)
      this.#snapshots = sizeOf(snapshotsFile(dataDir)) === 0 ? null : opened(snapshotsFile(dataDir))
      if (this.#snapshots !== null) {
        configureSnapshotDatabase(this.#snapshots, null)
        prepareTables(this.#snapshots, this.hostId, SNAPSHOT_STEPS)
      }
    } catch (error) {
      for (const db of open) db.close()
      throw toStorageError(error, `opening ${dataDir}`)
    }
    this.#dataDir = dataDir
  }

  get groups(): readonly string[] {
    return this.#meta.records.flatMap((record) => (record instanceof StorageError ? [] : [record.name]))
  }

  /** @throws StorageError CORRUPT when its log is damaged, INVALID when it is not here. */
  look(group: string): LeftGroup {
    const record = this.#record(group)
    const scan = scanGroup(record, new LogReader(this.#db), () => 0)
    let step = scan.next()
    while (step.done !== true) step = scan.next()
    return { stored: step.value, snapshot: this.#newestSnapshot(group) }
  }

  /**
   * Removes the group in steps, each of them durable when it is yielded; what is left half way is removed by doing it again.
   * A member that is started on such a half keeps its whole log, or refuses to start: a log that begins behind a snapshot
   * needs it.
   * @throws StorageError INVALID when the group is not here, CORRUPT when it cannot be told what is its own.
   */
  *remove(group: string): Generator<void, void, void> {
    const { number } = this.#record(group)
    if (this.#snapshots !== null) yield* removeSnapshots(this.#snapshots, group)
    // In one transaction: entries without a record, or a record without entries, would be damage.
    this.#db.transaction(() => {
      new LogTable(this.#db).delete(number, 0, MAX_INDEX)
      for (const table of ['identities', 'meta'])
        this.#db.prepare(`DELETE FROM ${table} WHERE group_number = ?`).run(number)
    })()
    yield
    this.#giveBack()
  }

  /** Of all files of the directory. */
  get bytes(): number {
    const files = [databaseFile(this.#dataDir), snapshotsFile(this.#dataDir)]
    return files.reduce((sum, file) => sum + sizeOf(file) + sizeOf(`${file}-wal`), 0)
  }

  close(): void {
    this.#snapshots?.close()
    this.#db.close()
    this.#lock.close()
  }

  #record(group: string): MetaRecord {
    const found = this.#meta.find(group)
    if (found instanceof StorageError) throw found
    if (found !== undefined) return found
    const there = this.groups.join(', ') || 'none'
    throw new StorageError('INVALID', `${this.#dataDir} holds no group ${group}; it holds ${there}.`)
  }

  #newestSnapshot(group: string): SnapshotMeta | null {
    if (this.#snapshots === null) return null
    try {
      const found = new SqliteTables(this.#snapshots).load(group)
      return found.findLast(({ state }) => state === 'published')?.record.meta ?? null
    } catch {
      return null
    }
  }

  /** To the file system, by writing anew what is left. Where even that has no room, the files keep it for what comes. */
  #giveBack(): void {
    try {
      this.#snapshots?.pragma('incremental_vacuum')
      this.#db.exec('VACUUM')
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_FULL') throw toStorageError(error, 'giving space back')
    }
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
  }
}

function* removeSnapshots(db: Database.Database, group: string): Generator<void, void, void> {
  db.transaction(() => {
    const own = 'SELECT snapshot_id FROM snapshots WHERE group_name = ?'
    db.prepare(`DELETE FROM files WHERE snapshot_id IN (${own})`).run(group)
    db.prepare('DELETE FROM snapshots WHERE group_name = ?').run(group)
  })()
  yield
  const tables = new SqliteTables(db)
  for (const content of tables.unusedContents()) {
    for (let isGone = false; !isGone; ) {
      isGone = tables.removeChunks(content, CHUNKS_PER_STEP)
      tables.commit()
      yield
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
