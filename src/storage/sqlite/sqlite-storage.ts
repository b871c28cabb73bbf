// The storage of one process on SQLite: owns the disk thread, the read-only connection of this thread, and the groups.

import Database from 'better-sqlite3'
import { type Logger, silentLogger } from '../../runtime/logger.ts'
import { runCallback } from '../run-callback.ts'
import { type OpenGroupResult, type Storage, type StorageDone, StorageError } from '../storage.ts'
import { databaseFile } from './data-directory.ts'
import { type DiskThread, startDiskThread } from './disk-thread-handle.ts'
import { fromFailure, toStorageError } from './failure.ts'
import { FetchQueue } from './fetch-queue.ts'
import { LogReader } from './log-reader.ts'
import type { DiskOptions, DiskResponse } from './messages.ts'
import { RequestQueue } from './request-queue.ts'
import { type GroupHost, SqliteGroupStore } from './sqlite-group-store.ts'

export interface SqliteStorageOptions {
  /** Created when it is not there. Everything of one process lives in it; it must be on a local disk. */
  readonly dataDir: string
  /** Whose directory it is; another one is refused from then on (FOREIGN). */
  readonly hostId: string
  /** Silent by default. */
  readonly logger?: Logger
  /** Writes beyond this size of the database fail with FULL. Default: as large as the disk allows. */
  readonly maxDatabaseBytes?: number
  /**
   * The write-ahead log is moved into the database when it reaches this size. Smaller: shorter pauses (about 2 ms per
   * MB), more often. Default 1 MiB.
   */
  readonly maxWalBytes?: number
}

const DEFAULT_MAX_WAL_BYTES = 1024 * 1024

/**
 * Opens the database of a process and takes its directory for it.
 * @throws StorageError (as a rejection) LOCKED, FOREIGN, VERSION, CORRUPT or IO; nothing stays open then.
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<SqliteStorage> {
  const { dataDir, hostId, logger = silentLogger } = options
  const diskOptions: DiskOptions = {
    dataDir,
    hostId,
    maxDatabaseBytes: options.maxDatabaseBytes ?? null,
    maxWalBytes: options.maxWalBytes ?? DEFAULT_MAX_WAL_BYTES,
  }
  let thread: DiskThread | null = null
  try {
    thread = await startDiskThread(diskOptions)
    const db = new Database(databaseFile(dataDir), { readonly: true, fileMustExist: true })
    return new SqliteStorage(thread, db, logger, dataDir)
  } catch (error) {
    await thread?.stop()
    throw toStorageError(error, `opening data directory ${dataDir}`)
  }
}

export class SqliteStorage implements Storage {
  readonly #thread: DiskThread
  readonly #db: Database.Database
  readonly #reader: LogReader
  readonly #logger: Logger
  readonly #dataDir: string
  readonly #queue: RequestQueue
  readonly #fetches: FetchQueue
  readonly #host: GroupHost
  readonly #openGroups = new Set<string>()
  /** Those who wait for the end of `close`; `null` while nobody asked for it. */
  #closers: StorageDone[] | null = null
  #closed = false

  /** Use `openSqliteStorage`. */
  constructor(thread: DiskThread, db: Database.Database, logger: Logger, dataDir: string) {
    this.#thread = thread
    this.#db = db
    this.#reader = new LogReader(db)
    this.#logger = logger
    this.#dataDir = dataDir
    this.#queue = new RequestQueue((request, transfer) => {
      thread.keepAlive(true) // only work that is under way does
      thread.post(request, transfer)
    })
    this.#fetches = new FetchQueue({ file: databaseFile(dataDir) })
    this.#host = {
      queue: this.#queue,
      fetches: this.#fetches,
      reader: () => this.#openReader(),
      refusal: () => (this.#closers === null ? null : this.#closedError()),
      released: (group) => this.#openGroups.delete(group),
    }
    thread.listen({
      onResponse: (response) => this.#onResponse(response),
      onEnd: (reason) => this.#onThreadEnd(reason),
    })
    thread.keepAlive(false)
  }

  openGroup(group: string, done: (result: OpenGroupResult) => void): void {
    const refusal = this.#host.refusal() ?? this.#refuseOpen(group)
    if (refusal !== null) {
      const refuse = (): void => done({ ok: false, error: refusal })
      this.#queue.write(() => {}, refuse, refusal)
      return
    }
    this.#openGroups.add(group)
    this.#queue.open({
      group,
      opened: (result) => {
        if (result.ok) {
          const { number, stored } = result
          return {
            ok: true,
            store: new SqliteGroupStore(this.#host, { number, name: group }, stored),
            stored,
          }
        }
        this.#openGroups.delete(group)
        return { ok: false, error: fromFailure(result.failure) }
      },
      done,
    })
  }

  close(done: StorageDone): void {
    if (this.#closed) queueMicrotask(() => done(null))
    else if (this.#closers !== null) this.#closers.push(done)
    else {
      this.#closers = [done]
      this.#db.close()
      // The disk thread is the last to let go of the database, so that no write-ahead log is left behind.
      const closeDisk = (): void => this.#queue.close((error) => this.#finishClose(error))
      void this.#fetches.close(this.#closedError()).then(closeDisk)
    }
  }

  /**
   * Lets go of everything at once, as if the process had been killed: what is under way may or may not be on disk, and
   * no pending callback is called. Resolves when the directory can be opened again.
   */
  async destroy(): Promise<void> {
    this.#queue.drop()
    this.#closers ??= []
    this.#closed = true
    await this.#fetches.drop()
    await this.#thread.stop()
    this.#db.close()
  }

  #onResponse(response: DiskResponse): void {
    if ('failure' in response && response.failure !== null) {
      this.#logger.error(
        { dataDir: this.#dataDir, ...response.failure },
        'storage failed; nothing is written any more',
      )
    }
    this.#queue.answered(response)
    if (this.#queue.idle && this.#closers === null) this.#thread.keepAlive(false)
  }

  #onThreadEnd(reason: string): void {
    const message = `The disk thread of ${this.#dataDir} ended (${reason}): what was not confirmed may not be on disk.`
    this.#logger.error({ dataDir: this.#dataDir, reason }, message)
    this.#queue.abandon(new StorageError('IO', message))
  }

  /** The thread ends by itself after a close; a failed one is ended here. */
  #finishClose(error: StorageError | null): void {
    void this.#thread.stop().then(() => {
      this.#closed = true
      for (const done of this.#closers?.splice(0) ?? []) runCallback(() => done(error))
    })
  }

  #openReader(): LogReader {
    if (!this.#db.open) throw this.#closedError()
    return this.#reader
  }

  #refuseOpen(group: string): StorageError | null {
    if (!this.#openGroups.has(group)) return null
    return new StorageError('INVALID', `Group ${group} is open already in this storage: close it first.`)
  }

  #closedError(): StorageError {
    return new StorageError('CLOSED', `The storage of ${this.#dataDir} is closed.`)
  }
}
