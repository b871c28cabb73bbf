// One open group of a simulated storage: checks that what is asked for makes sense, as the product does.

import {
  EntryType,
  type HardState,
  type LogEntry,
  type LogId,
  type LogIndex,
  type Term,
} from '../../rules/types.ts'
import { ClaimedRead } from '../../storage/claimed-read.ts'
import { FailureWatch } from '../../storage/failure-watch.ts'
import { LogWindow } from '../../storage/log-window.ts'
import {
  type Fetch,
  type FetchDone,
  type GroupStore,
  type ReadLimits,
  type StorageDone,
  StorageError,
  type StoredGroup,
} from '../../storage/storage.ts'
import { copyEntry, type WriteOp } from './disk-image.ts'

/** What a group asks of the storage that it is part of. */
export interface StorageOfGroup {
  readonly closed: boolean
  /** What a callback throws is heard, instead of ending the run. */
  readonly sheltersCallbacks: boolean
  read(group: string, from: LogIndex, limits: ReadLimits): LogEntry[]
  fetch(group: string, read: ClaimedRead, maxBytes: number, isClosed: () => boolean): void
  write(group: string, op: WriteOp, done: StorageDone): void
  closeGroup(group: string, done: StorageDone): void
  refuse(code: 'CLOSED' | 'INVALID' | 'FAULT', message: string, done: StorageDone): void
}

export class SimGroupStore implements GroupStore {
  readonly #storage: StorageOfGroup
  readonly #group: string
  /** The last entry asked for, durable or not. Its term is 0 where it isn't known any more. */
  #lastAsked: LogId
  /** For asynchronous reads: what they may still hand over. */
  readonly #window: LogWindow
  readonly #watch: FailureWatch
  #closed = false

  constructor(storage: StorageOfGroup, group: string, stored: StoredGroup) {
    const { firstIndex, lastIndex, terms, termBeforeFirst } = stored
    this.#storage = storage
    this.#group = group
    this.#window = new LogWindow(group, firstIndex, lastIndex)
    this.#watch = new FailureWatch(group, () => {})
    this.#lastAsked = { index: lastIndex, term: terms.at(-1)?.term ?? termBeforeFirst }
  }

  append(entries: readonly LogEntry[], done: StorageDone): void {
    let last = this.#lastAsked
    for (const { index, term, type, data } of entries) {
      if (index !== last.index + 1 || term < last.term) {
        const next = `${last.index + 1} of term ${last.term} or later is next`
        this.#refuse(`entry ${index} of term ${term} appended, ${next}`, done)
        return
      }
      if (type === EntryType.WITHHELD && data.length > 0) {
        this.#refuse(`entry ${index} is withheld and has data all the same`, done)
        return
      }
      last = { index, term }
    }
    this.#ask({ kind: 'append', entries: entries.map(copyEntry) }, last, done)
  }

  truncateSuffix(lastKept: LogIndex, done: StorageDone): void {
    const isShorter = lastKept < this.#lastAsked.index
    this.#ask(
      { kind: 'truncateSuffix', lastKept },
      isShorter ? { index: lastKept, term: 0 } : this.#lastAsked,
      done,
    )
  }

  truncatePrefix(firstKept: LogIndex, termBeforeFirst: Term, done: StorageDone): void {
    const isBeyond = firstKept - 1 > this.#lastAsked.index
    const last = isBeyond ? { index: firstKept - 1, term: termBeforeFirst } : this.#lastAsked
    this.#ask({ kind: 'truncatePrefix', firstKept, termBeforeFirst }, last, done)
  }

  reset(nextIndex: LogIndex, termBeforeFirst: Term, done: StorageDone): void {
    if (nextIndex < 1) this.#refuse(`a log cannot begin at ${nextIndex}`, done)
    else {
      const last = { index: nextIndex - 1, term: termBeforeFirst }
      this.#ask({ kind: 'reset', nextIndex, termBeforeFirst }, last, done)
    }
  }

  saveHardState({ term, votedFor }: HardState, done: StorageDone): void {
    if (term < 0) this.#refuse(`there is no term ${term}`, done)
    else this.#ask({ kind: 'hardState', state: { term, votedFor } }, this.#lastAsked, done)
  }

  read(from: LogIndex, limits: ReadLimits): LogEntry[] {
    if (this.#closed || this.#storage.closed)
      throw new StorageError('CLOSED', `Group ${this.#group} is closed.`)
    return this.#storage.read(this.#group, from, limits)
  }

  fetch(from: LogIndex, { maxEntries, maxBytes }: ReadLimits, done: FetchDone): Fetch {
    const read = new ClaimedRead(this.#window, from, maxEntries, (result) => this.#complete(done, result))
    this.#storage.fetch(this.#group, read, maxBytes, () => this.#closed)
    return read
  }

  onFailure(listener: (error: StorageError) => void): void {
    this.#watch.listen(listener)
  }

  /** The storage has failed. */
  fail(error: StorageError): void {
    this.#watch.fail(error)
  }

  close(done: StorageDone): void {
    this.#closed = true
    this.#storage.closeGroup(this.#group, (error) => this.#complete(done, error))
  }

  #ask(op: WriteOp, last: LogId, done: StorageDone): void {
    if (this.#closed || this.#storage.closed) {
      this.#storage.refuse('CLOSED', `Group ${this.#group} is closed.`, done)
      return
    }
    if (this.#watch.fault !== null) {
      this.#storage.refuse('FAULT', this.#watch.fault.message, done)
      return
    }
    this.#lastAsked = last
    const durable = this.#note(op)
    this.#storage.write(this.#group, op, (error) => {
      if (error === null) durable()
      this.#complete(done, error)
    })
  }

  /** What it returns is to be called when the write is durable. */
  #note(op: WriteOp): () => void {
    if (op.kind === 'append') return this.#window.appended(op.entries)
    if (op.kind === 'truncateSuffix') this.#window.truncateSuffix(op.lastKept)
    else if (op.kind === 'truncatePrefix') this.#window.truncatePrefix(op.firstKept)
    else if (op.kind === 'reset') this.#window.reset(op.nextIndex)
    return () => {}
  }

  #complete<T>(done: (value: T) => void, value: T): void {
    if (this.#storage.sheltersCallbacks) this.#watch.complete(done, value)
    else done(value)
  }

  #refuse(what: string, done: StorageDone): void {
    this.#storage.refuse('INVALID', `Group ${this.#group}: ${what}.`, (error) => this.#complete(done, error))
  }
}
