// The storage of one process on SQLite: owns the disk thread, the read-only connection of this thread, and the groups.

import Database from 'better-sqlite3'
import { messageOf, sheltered } from '../../runtime/errors.ts'
import { type Logger, shelteredLogger } from '../../runtime/logger.ts'
import type { SnapshotDone, SnapshotStore } from '../snapshot-store.ts'
import {
  type DiskStatus,
  type OpenGroupResult,
  type Storage,
  type StorageDone,
  StorageError,
  type StorageFigures,
} from '../storage.ts'
import { databaseFile } from './data-directory.ts'
import { Deadlines } from './deadlines.ts'
import { DiskReport } from './disk-report.ts'
import { type DiskThread, startDiskThread } from './disk-thread-handle.ts'
import { fromFailure, toStorageError } from './failure.ts'
import { FetchQueue } from './fetch-queue.ts'
import { LogReader } from './log-reader.ts'
import type { DiskOptions, DiskResponse, OpenedGroup } from './messages.ts'
import { RequestQueue } from './request-queue.ts'
import { SqliteSnapshots } from './snapshots/sqlite-snapshots.ts'
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
  /** The same for the database of snapshots; the log goes on then. */
  readonly maxSnapshotsBytes?: number
  /**
   * The write-ahead log is moved into the database when it reaches this size. Smaller: shorter pauses (about 2 ms per
   * MB), more often. Default 1 MiB.
   */
  readonly maxWalBytes?: number
  /** How long opening the database may take before it fails with IO. Default 30,000. */
  readonly startTimeoutMs?: number
  /** How long a close waits for a disk that does not answer before it ends with IO. Default 10,000. */
  readonly closeTimeoutMs?: number
}

const DEFAULT_MAX_WAL_BYTES = 1024 * 1024
const DEFAULT_START_TIMEOUT_MS = 30_000
const DEFAULT_CLOSE_TIMEOUT_MS = 10_000

/**
 * Opens the database of a process and takes its directory for it.
 * @throws StorageError (as a rejection) LOCKED, FOREIGN, VERSION, CORRUPT or IO; nothing stays open then.
 */
export function openSqliteStorage(options: SqliteStorageOptions): Promise<SqliteStorage> {
  return SqliteStorage.open(options)
}

interface StorageSettings {
  readonly hostId: string
  readonly logger: Logger
  readonly dataDir: string
  readonly maxSnapshotsBytes: number | null
  readonly closeTimeoutMs: number
}

export class SqliteStorage implements Storage {
  readonly #thread: DiskThread
  readonly #db: Database.Database
  readonly #reader: LogReader
  readonly #settings: StorageSettings
  readonly #queue: RequestQueue
  readonly #fetches: FetchQueue
  readonly #host: GroupHost
  readonly #diskReport: DiskReport
  readonly #snapshots: SqliteSnapshots
  /** `null` while it is being opened. */
  readonly #openGroups = new Map<string, SqliteGroupStore | null>()
  readonly #deadlines: Deadlines
  /** Those who wait for the end of `close`; `null` while nobody asked for it. */
  #closers: StorageDone[] | null = null
  #closed = false
  #failure: StorageError | null = null
  #status: DiskStatus = { walBytes: 0, databaseBytes: 0, blockedByReaderMs: null }

  /** See `openSqliteStorage`. The constructor is private so that declarations name no package without types. */
  static async open(options: SqliteStorageOptions): Promise<SqliteStorage> {
    const { dataDir, hostId, closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS, maxSnapshotsBytes = null } = options
    const logger = shelteredLogger(options.logger)
    const diskOptions: DiskOptions = {
      dataDir,
      hostId,
      maxDatabaseBytes: options.maxDatabaseBytes ?? null,
      maxWalBytes: options.maxWalBytes ?? DEFAULT_MAX_WAL_BYTES,
    }
    let thread: DiskThread | null = null
    try {
      thread = await startDiskThread(diskOptions, options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS)
      const db = new Database(databaseFile(dataDir), { readonly: true, fileMustExist: true })
      return new SqliteStorage(thread, db, { logger, hostId, dataDir, closeTimeoutMs, maxSnapshotsBytes })
    } catch (error) {
      await thread?.stop()
      throw toStorageError(error, `opening data directory ${dataDir}`)
    }
  }

  private constructor(thread: DiskThread, db: Database.Database, settings: StorageSettings) {
    this.#thread = thread
    this.#db = db
    this.#reader = new LogReader(db)
    this.#settings = settings
    this.#diskReport = new DiskReport(settings.logger, settings.dataDir)
    this.#queue = new RequestQueue((request, transfer) => {
      thread.keepAlive(true) // only work that is under way does
      thread.post(request, transfer)
    })
    this.#fetches = new FetchQueue({ file: databaseFile(settings.dataDir) })
    const report = (message: string): void => this.#report(message)
    this.#deadlines = new Deadlines(settings.dataDir, settings.closeTimeoutMs, report)
    this.#host = {
      queue: this.#queue,
      fetches: this.#fetches,
      reader: () => this.#openReader(),
      refusal: () => (this.#closers === null ? null : this.#closedError()),
      released: (group) => this.#openGroups.delete(group),
      inTime: (what, done) => this.#deadlines.inTime(what, done),
      report,
    }
    const { hostId, dataDir, maxSnapshotsBytes } = settings
    this.#snapshots = new SqliteSnapshots({ hostId, dataDir, maxBytes: maxSnapshotsBytes }, this.#host)
    thread.listen({
      onResponse: (response) => this.#onResponse(response),
      onEnd: (reason) => this.#onThreadEnd(reason),
    })
    thread.keepAlive(false)
  }

  openGroup(group: string, done: (result: OpenGroupResult) => void): void {
    const refusal = this.#host.refusal() ?? this.#refuseOpen(group)
    if (refusal !== null) {
      this.#queue.write(
        () => {},
        () => this.#completeOpen(done, { ok: false, error: refusal }),
        refusal,
      )
      return
    }
    this.#openGroups.set(group, null)
    this.#queue.open({ group, opened: (result) => this.#completeOpen(done, this.#opened(group, result)) })
  }

  openSnapshots(group: string, done: SnapshotDone<SnapshotStore>): void {
    this.#snapshots.open(group, done)
  }

  close(done: StorageDone): void {
    if (this.#closed) queueMicrotask(() => this.#complete(done, null))
    else if (this.#closers !== null) this.#closers.push(done)
    else {
      this.#closers = [done]
      this.#db.close()
      // The disk thread is the last to let go of the database, so that no write-ahead log is left behind.
      const ended = this.#deadlines.inTime('closing', (error) => this.#finishClose(error))
      void this.#fetches.close(this.#closedError()).then(() => {
        this.#snapshots.close(() => this.#queue.close(ended))
      })
    }
  }

  /**
   * Lets go of everything at once, as if the process had been killed: what is under way may or may not be on disk, and
   * no pending callback is called. Resolves when the directory can be opened again, or the disk thread is found to hang.
   */
  async destroy(): Promise<void> {
    this.#queue.drop()
    this.#closers ??= []
    this.#closed = true
    this.#deadlines.clear()
    // Both at once: a thread that is not stopped yet goes on answering.
    const ended = this.#thread.stop()
    const snapshots = this.#snapshots.stop(null)
    await this.#fetches.drop()
    await ended
    await snapshots
    this.#db.close()
  }

  diskStatus(): DiskStatus {
    return { writes: this.#queue.writeTimes, ...this.#status }
  }

  readonly figures = (): StorageFigures => ({ ...this.#status, ...this.#queue.figures })

  #opened(group: string, result: OpenedGroup): OpenGroupResult {
    if (!result.ok) {
      this.#openGroups.delete(group)
      return { ok: false, error: fromFailure(result.failure) }
    }
    const { number, stored } = result
    const store = new SqliteGroupStore(this.#host, { number, name: group }, stored)
    this.#openGroups.set(group, store)
    return { ok: true, store, stored }
  }

  #onResponse(response: DiskResponse): void {
    switch (response.kind) {
      case 'status':
        this.#status = response.status
        this.#diskReport.take(response.status)
        return
      case 'failed':
        this.#fail(fromFailure(response.failure))
        return
      case 'written':
      case 'opened':
      case 'closed':
        this.#queue.answered(response)
        if (response.kind === 'written') this.#diskReport.wrote(response.tookMs)
        if (response.kind === 'written' && response.failure !== null)
          this.#fail(fromFailure(response.failure))
        break
      case 'started':
      case 'refused':
        throw new TypeError(`the disk thread said ${response.kind} after it had started`)
    }
    if (this.#queue.idle && this.#closers === null) this.#thread.keepAlive(false)
  }

  #onThreadEnd(reason: string): void {
    const message = `The disk thread of ${this.#settings.dataDir} ended (${reason}): what was not confirmed may not be on disk.`
    const error = new StorageError('IO', message)
    this.#queue.abandon(error)
    this.#fail(error)
  }

  /** Nothing is written any more; every group is told, also those that have nothing to write. */
  #fail(error: StorageError): void {
    if (this.#failure !== null) return
    this.#failure = error
    const { logger, dataDir } = this.#settings
    logger.error(
      { dataDir, code: error.code },
      `Storage failed; nothing is written any more: ${error.message}`,
    )
    this.#queue.fail(error)
    for (const store of [...this.#openGroups.values()]) store?.fail(error)
  }

  /** The thread ends by itself after a close; one that failed or does not answer is ended here. */
  #finishClose(error: StorageError | null): void {
    const threads = [this.#snapshots.stop(error ?? this.#closedError()), this.#thread.stop()]
    void Promise.all(threads).then((haveEnded) => {
      this.#closed = true
      if (haveEnded.includes(false)) {
        this.#report('A thread hangs in the operating system and is left behind.')
      }
      // Whatever is still waiting for the disk has waited long enough.
      this.#queue.abandon(error ?? this.#closedError())
      for (const done of this.#closers?.splice(0) ?? []) this.#complete(done, error)
    })
  }

  /** An owner that does not take what it asked for does not keep it open. */
  #completeOpen(done: (result: OpenGroupResult) => void, result: OpenGroupResult): void {
    sheltered(
      () => done(result),
      (thrown) => {
        this.#report(`A callback of opening a group threw: ${messageOf(thrown)}.`)
        if (result.ok) result.store.close(() => {})
      },
    )
  }

  #complete(done: StorageDone, error: StorageError | null): void {
    sheltered(
      () => done(error),
      (thrown) => this.#report(`A callback of closing threw: ${messageOf(thrown)}.`),
    )
  }

  #report(message: string): void {
    this.#settings.logger.error({ dataDir: this.#settings.dataDir }, message)
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
    return new StorageError('CLOSED', `The storage of ${this.#settings.dataDir} is closed.`)
  }
}
