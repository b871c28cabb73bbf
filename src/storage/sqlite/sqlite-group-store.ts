// One group of a SQLite storage as its owner holds it: checks what is asked for, hands it to the queue, reads back.

import type { HardState, LogEntry, LogIndex, Term } from '../../rules/types.ts'
import { ClaimedRead } from '../claimed-read.ts'
import { FailureWatch } from '../failure-watch.ts'
import { LogWindow, refuseHardState } from '../log-window.ts'
import {
  type Fetch,
  type FetchDone,
  type GroupStore,
  type ReadLimits,
  type StorageDone,
  StorageError,
  type StoredGroup,
} from '../storage.ts'
import type { FetchQueue } from './fetch-queue.ts'
import type { GroupIdentity, LogReader } from './log-reader.ts'
import type { OperationPacker } from './operations.ts'
import type { RequestQueue } from './request-queue.ts'
import { MAX_INDEX } from './schema.ts'

/** What the storage lends to its groups. */
export interface GroupHost {
  readonly queue: RequestQueue
  readonly fetches: FetchQueue
  /** @throws StorageError CLOSED */
  reader(): LogReader
  /** The reason why nothing can be asked for any more, or `null`. */
  refusal(): StorageError | null
  released(group: string): void
  /** Calls `done` once: with what it is called with itself, or with an error when that takes too long. */
  inTime(what: string, done: StorageDone): StorageDone
  /** Tells somebody that a callback threw. */
  report(message: string): void
}

export class SqliteGroupStore implements GroupStore {
  readonly #host: GroupHost
  readonly #group: GroupIdentity
  readonly #window: LogWindow
  readonly #watch: FailureWatch
  #closed = false

  constructor(host: GroupHost, group: GroupIdentity, stored: StoredGroup) {
    this.#host = host
    this.#group = group
    this.#window = new LogWindow(group.name, stored.firstIndex, stored.lastIndex)
    this.#watch = new FailureWatch(group.name, (message) => host.report(message))
  }

  append(entries: readonly LogEntry[], done: StorageDone): void {
    if (this.#refused(this.#window.refuseAppend(entries) ?? refuseIndex(entries.at(-1)?.index ?? 0), done))
      return
    const durable = this.#window.appended(entries)
    this.#host.queue.append(this.#group.number, entries, (error) => {
      if (error === null) durable()
      this.#watch.complete(done, error)
    })
  }

  truncateSuffix(lastKept: LogIndex, done: StorageDone): void {
    if (this.#refused(this.#window.refuseEnd(lastKept), done)) return
    const removes = this.#window.truncateSuffix(lastKept)
    this.#write((packer) => removes && packer.truncateSuffix(this.#group.number, lastKept), done)
  }

  truncatePrefix(firstKept: LogIndex, termBeforeFirst: Term, done: StorageDone): void {
    if (this.#refused(this.#window.refuseStart(firstKept, termBeforeFirst) ?? refuseIndex(firstKept), done))
      return
    const moves = this.#window.truncatePrefix(firstKept)
    this.#write(
      (packer) => moves && packer.truncatePrefix(this.#group.number, firstKept, termBeforeFirst),
      done,
    )
  }

  reset(nextIndex: LogIndex, termBeforeFirst: Term, done: StorageDone): void {
    if (this.#refused(this.#window.refuseStart(nextIndex, termBeforeFirst) ?? refuseIndex(nextIndex), done))
      return
    this.#window.reset(nextIndex)
    this.#write((packer) => packer.reset(this.#group.number, nextIndex, termBeforeFirst), done)
  }

  saveHardState(state: HardState, done: StorageDone): void {
    if (this.#refused(refuseHardState(this.#group.name, state), done)) return
    this.#write((packer) => packer.hardState(this.#group.number, state), done)
  }

  read(from: LogIndex, limits: ReadLimits): LogEntry[] {
    if (this.#closed) throw closedError(this.#group.name)
    const reader = this.#host.reader()
    const range = this.#window.readable(from, limits.maxEntries)
    return range === null ? [] : reader.read(this.#group, range.from, range.to, limits.maxBytes)
  }

  fetch(from: LogIndex, { maxEntries, maxBytes }: ReadLimits, done: FetchDone): Fetch {
    const read = new ClaimedRead(this.#window, from, maxEntries, (result) =>
      this.#watch.complete(done, result),
    )
    this.#host.fetches.ask({ group: this.#group, read, maxBytes, refusal: () => this.#refusal(null) })
    return read
  }

  onFailure(listener: (error: StorageError) => void): void {
    this.#watch.listen(listener)
  }

  /** The storage has failed, or this group's owner has. */
  fail(error: StorageError): void {
    this.#watch.fail(error)
  }

  close(done: StorageDone): void {
    if (!this.#closed) this.#host.released(this.#group.name)
    this.#closed = true
    const ended = this.#host.inTime(`closing group ${this.#group.name}`, (error) =>
      this.#watch.complete(done, error),
    )
    this.#host.queue.write(() => {}, ended)
  }

  #write(pack: (packer: OperationPacker) => void, done: StorageDone): void {
    this.#host.queue.write(pack, (error) => this.#watch.complete(done, error))
  }

  /** Answers, in its turn, what cannot be done. */
  #refused(reason: string | null, done: StorageDone): boolean {
    const error = this.#refusal(reason)
    if (error === null) return false
    this.#host.queue.write(
      () => {},
      (refused) => this.#watch.complete(done, refused),
      error,
    )
    return true
  }

  #refusal(reason: string | null): StorageError | null {
    if (this.#closed) return closedError(this.#group.name)
    const failure = this.#host.refusal() ?? this.#watch.fault
    return failure ?? (reason === null ? null : new StorageError('INVALID', reason))
  }
}

function refuseIndex(index: LogIndex): string | null {
  return index <= MAX_INDEX
    ? null
    : `Index ${index} is beyond ${MAX_INDEX}, the greatest this storage can hold.`
}

function closedError(group: string): StorageError {
  return new StorageError('CLOSED', `Group ${group} is closed in this storage: open it again.`)
}
