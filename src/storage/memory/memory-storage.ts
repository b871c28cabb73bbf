// A storage without a disk, for tests and for groups that may forget: the same contract, with the next turn of the
// clock in the place of the fsync.

import type { HardState, LogEntry, LogIndex, Term } from '../../rules/types.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { messageOf, sheltered } from '../../runtime/errors.ts'
import { type Logger, silentLogger } from '../../runtime/logger.ts'
import { ClaimedRead } from '../claimed-read.ts'
import { FailureWatch } from '../failure-watch.ts'
import { LogWindow, refuseHardState } from '../log-window.ts'
import type { SnapshotDone, SnapshotStore } from '../snapshot-store.ts'
import { EnginePort } from '../snapshots/engine-port.ts'
import { MemoryTables } from '../snapshots/memory-tables.ts'
import { SnapshotEngine } from '../snapshots/snapshot-engine.ts'
import { Snapshots } from '../snapshots/snapshots.ts'
import {
  type Fetch,
  type FetchDone,
  type GroupStore,
  type OpenGroupResult,
  type ReadLimits,
  type Storage,
  type StorageDone,
  StorageError,
  type StoredGroup,
} from '../storage.ts'
import { MemoryGroup } from './memory-group.ts'

/**
 * What outlives a MemoryStorage: hand it to the next one to "restart" with what was durable.
 *
 * @example
 * const disk = new MemoryDisk()
 * await openHost({ id: 'n1', storage: new MemoryStorage({ disk }) }) // and, after its close, once more
 */
export class MemoryDisk {
  /** Of all groups. */
  readonly snapshots = new MemoryTables()
  readonly #groups = new Map<string, MemoryGroup>()

  /** The group's record, created empty. */
  group(name: string): MemoryGroup {
    const known = this.#groups.get(name)
    if (known !== undefined) return known
    const created = new MemoryGroup()
    this.#groups.set(name, created)
    return created
  }
}

export interface MemoryStorageOptions {
  /** Writes become durable, all at once and in order, in its next deferred turn. Default: the system's. */
  readonly clock?: Clock
  /** A fresh one by default. */
  readonly disk?: MemoryDisk
  /** Hears of callbacks that throw. Silent by default. */
  readonly logger?: Logger
}

interface Pending {
  readonly apply: () => void
  readonly done: () => void
}

/**
 * A storage in memory, as `openHost({ id, storage: new MemoryStorage() })` takes it. It promises what the one on SQLite
 * promises but for one thing: all is lost with the process. Never put it under a group whose members restart on their
 * own: a member that forgot its vote may vote twice in a term.
 */
export class MemoryStorage implements Storage {
  readonly #clock: Clock
  readonly #disk: MemoryDisk
  readonly #logger: Logger
  readonly #open = new Set<string>()
  readonly #snapshots: Snapshots
  #engine: SnapshotEngine | null = null
  #pending: Pending[] = []
  #closed = false

  constructor(options: MemoryStorageOptions = {}) {
    const { clock = systemClock, disk = new MemoryDisk(), logger = silentLogger } = options
    this.#clock = clock
    this.#logger = logger
    this.#disk = disk
    this.#snapshots = new Snapshots({
      port: new EnginePort(
        () => {
          this.#engine ??= new SnapshotEngine(disk.snapshots)
          return this.#engine
        },
        (step, end) => this.#ask(step, end),
      ),
      refusal: () => (this.#closed ? closedError('The storage') : null),
      completer: (group) => new FailureWatch(group, (message) => this.#report(message)),
      report: (message) => this.#report(message),
    })
  }

  openGroup(group: string, done: (result: OpenGroupResult) => void): void {
    const refusal = this.#closed
      ? closedError('The storage')
      : this.#open.has(group)
        ? new StorageError('INVALID', `Group ${group} is open already in this storage: close it first.`)
        : null
    if (refusal !== null) {
      this.#ask(nothing, () => this.#shelter(() => done({ ok: false, error: refusal })))
      return
    }
    this.#open.add(group)
    let result: OpenGroupResult | null = null
    const open = (): void => {
      const record = this.#disk.group(group)
      const stored = record.stored()
      result = { ok: true, store: this.#groupStore(group, record, stored), stored }
    }
    this.#ask(open, () => this.#shelter(() => result !== null && done(result)))
  }

  openSnapshots(group: string, done: SnapshotDone<SnapshotStore>): void {
    this.#snapshots.open(group, done)
  }

  close(done: StorageDone): void {
    this.#closed = true
    this.#ask(nothing, () => this.#shelter(() => done(null)))
  }

  #shelter(callback: () => unknown): void {
    sheltered(callback, (thrown) => this.#report(`A callback threw: ${messageOf(thrown)}.`))
  }

  #report(message: string): void {
    this.#logger.error({}, message)
  }

  #groupStore(group: string, record: MemoryGroup, stored: StoredGroup): GroupStore {
    return new MemoryGroupStore(group, record, stored, {
      ask: (apply, done) => this.#ask(apply, done),
      closed: () => this.#closed,
      released: () => this.#open.delete(group),
      report: (message) => this.#report(message),
    })
  }

  #ask(apply: () => void, done: () => void): void {
    if (this.#pending.push({ apply, done }) === 1) this.#clock.defer(() => this.#settle())
  }

  /** Everything becomes durable, then everybody is told: what callbacks ask for belongs to the next turn. */
  #settle(): void {
    const pending = this.#pending
    this.#pending = []
    for (const { apply } of pending) apply()
    for (const { done } of pending) done()
  }
}

interface GroupHost {
  readonly ask: (apply: () => void, done: () => void) => void
  readonly closed: () => boolean
  readonly released: () => void
  readonly report: (message: string) => void
}

class MemoryGroupStore implements GroupStore {
  readonly #group: string
  readonly #record: MemoryGroup
  readonly #window: LogWindow
  readonly #host: GroupHost
  readonly #watch: FailureWatch
  #closed = false

  constructor(group: string, record: MemoryGroup, stored: StoredGroup, host: GroupHost) {
    this.#group = group
    this.#record = record
    this.#window = new LogWindow(group, stored.firstIndex, stored.lastIndex)
    this.#host = host
    this.#watch = new FailureWatch(group, host.report)
  }

  append(entries: readonly LogEntry[], done: StorageDone): void {
    if (this.#refused(this.#window.refuseAppend(entries), done)) return
    const kept = entries.map((entry) => ({ ...entry, data: entry.data.slice() }))
    const durable = this.#window.appended(entries)
    const apply = (): void => {
      this.#record.append(kept)
      durable()
    }
    this.#host.ask(apply, () => this.#watch.complete(done, null))
  }

  truncateSuffix(lastKept: LogIndex, done: StorageDone): void {
    if (this.#refused(this.#window.refuseEnd(lastKept), done)) return
    const removes = this.#window.truncateSuffix(lastKept)
    this.#host.ask(removes ? () => this.#record.truncateSuffix(lastKept) : nothing, () =>
      this.#watch.complete(done, null),
    )
  }

  truncatePrefix(firstKept: LogIndex, termBeforeFirst: Term, done: StorageDone): void {
    if (this.#refused(this.#window.refuseStart(firstKept, termBeforeFirst), done)) return
    const moves = this.#window.truncatePrefix(firstKept)
    const apply = (): void => this.#record.truncatePrefix(firstKept, termBeforeFirst)
    this.#host.ask(moves ? apply : nothing, () => this.#watch.complete(done, null))
  }

  reset(nextIndex: LogIndex, termBeforeFirst: Term, done: StorageDone): void {
    if (this.#refused(this.#window.refuseStart(nextIndex, termBeforeFirst), done)) return
    this.#window.reset(nextIndex)
    this.#host.ask(
      () => this.#record.reset(nextIndex, termBeforeFirst),
      () => this.#watch.complete(done, null),
    )
  }

  saveHardState(state: HardState, done: StorageDone): void {
    if (this.#refused(refuseHardState(this.#group, state), done)) return
    const { term, votedFor } = state
    this.#host.ask(
      () => this.#record.saveHardState({ term, votedFor }),
      () => this.#watch.complete(done, null),
    )
  }

  read(from: LogIndex, limits: ReadLimits): LogEntry[] {
    if (this.#closed || this.#host.closed()) throw closedError(`Group ${this.#group}`)
    const range = this.#window.readable(from, limits.maxEntries)
    return range === null ? [] : this.#record.read(range.from, range.to, limits.maxBytes)
  }

  fetch(from: LogIndex, { maxEntries, maxBytes }: ReadLimits, done: FetchDone): Fetch {
    const read = new ClaimedRead(this.#window, from, maxEntries, (result) =>
      this.#watch.complete(done, result),
    )
    let entries: readonly LogEntry[] = []
    this.#host.ask(
      () => {
        if (read.to >= read.from) entries = this.#record.read(read.from, read.to, maxBytes)
      },
      () => {
        const refusal = this.#refusal(null)
        if (refusal !== null) read.failed(refusal)
        else read.rowsRead({ entries, failure: null })
      },
    )
    return read
  }

  onFailure(listener: (error: StorageError) => void): void {
    this.#watch.listen(listener)
  }

  close(done: StorageDone): void {
    if (!this.#closed) this.#host.released()
    this.#closed = true
    this.#host.ask(nothing, () => this.#watch.complete(done, null))
  }

  #refused(reason: string | null, done: StorageDone): boolean {
    const error = this.#refusal(reason)
    if (error === null) return false
    this.#host.ask(nothing, () => this.#watch.complete(done, error))
    return true
  }

  #refusal(reason: string | null): StorageError | null {
    if (this.#closed || this.#host.closed()) return closedError(`Group ${this.#group}`)
    return this.#watch.fault ?? (reason === null ? null : new StorageError('INVALID', reason))
  }
}

function nothing(): void {}

function closedError(what: string): StorageError {
  return new StorageError('CLOSED', `${what} is closed.`)
}
