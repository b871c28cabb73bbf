// The caller's side of the disk thread: operations collect here in the order asked for while one request is under way,
// and leave together when it is answered. Callbacks run in that order too, never inside the call that brought them.

import { runCallback } from '../run-callback.ts'
import { type OpenGroupResult, type StorageDone, StorageError } from '../storage.ts'
import { fromFailure } from './failure.ts'
import type { DiskRequest, DiskResponse, OpenedGroup } from './messages.ts'
import { OperationPacker } from './operations.ts'

export interface OpenRequest {
  readonly group: string
  readonly opened: (result: OpenedGroup) => OpenGroupResult
  readonly done: (result: OpenGroupResult) => void
}

interface WriteBatch {
  readonly kind: 'write'
  readonly packer: OperationPacker
  readonly completions: Completion[]
}
interface OpenBatch {
  readonly kind: 'open'
  readonly requests: OpenRequest[]
}
interface CloseBatch {
  readonly kind: 'close'
  readonly done: StorageDone
}
type Batch = WriteBatch | OpenBatch | CloseBatch

interface Completion {
  readonly done: StorageDone
  /** Set when the operation was refused before it came near the disk. */
  readonly refused: StorageError | null
}

/** A batch is closed here, which bounds the buffer, the transaction and what one commit adds to the write-ahead log. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024
const FIRST_BUFFER_BYTES = 64 * 1024
/** A larger buffer is not kept for the next batch. */
const MAX_SPARE_BYTES = 1024 * 1024

export class RequestQueue {
  readonly #post: (request: DiskRequest, transfer: readonly ArrayBuffer[]) => void
  readonly #waiting: Batch[] = []
  #underWay: Batch | null = null
  #spare: ArrayBuffer | null = null
  #failure: StorageError | null = null
  #failingSoon = false

  constructor(post: (request: DiskRequest, transfer: readonly ArrayBuffer[]) => void) {
    this.#post = post
  }

  get idle(): boolean {
    return this.#underWay === null && this.#waiting.length === 0
  }

  /** Packs one operation, or with `refused` none, and completes it in its turn. */
  write(
    pack: (packer: OperationPacker) => void,
    done: StorageDone,
    refused: StorageError | null = null,
  ): void {
    const batch = this.#writeBatch()
    if (refused === null && this.#failure === null) pack(batch.packer)
    batch.completions.push({ done, refused })
    this.#advance()
  }

  open(request: OpenRequest): void {
    const last = this.#waiting.at(-1)
    if (last?.kind === 'open') last.requests.push(request)
    else this.#waiting.push({ kind: 'open', requests: [request] })
    this.#advance()
  }

  /** The last request: `done` runs when the disk thread has let go of its files. */
  close(done: StorageDone): void {
    this.#waiting.push({ kind: 'close', done })
    this.#advance()
  }

  /** Takes the answer to the request under way. The next request leaves before callbacks run, so the disk is busy. */
  answered(response: DiskResponse): void {
    if (response.kind === 'failed') {
      this.fail(fromFailure(response.failure))
      return
    }
    const batch = this.#underWay
    this.#underWay = null
    if (batch?.kind === 'write' && response.kind === 'written') {
      if (response.spare.byteLength <= MAX_SPARE_BYTES) this.#spare = response.spare
      const error = response.failure && fromFailure(response.failure)
      if (error !== null) this.#failure ??= error
      else this.#advance()
      completeWrites(batch, error)
      if (error !== null) this.#failWaiting()
    } else if (batch?.kind === 'open' && response.kind === 'opened') {
      this.#advance()
      completeOpens(batch, response.results)
    } else if (batch?.kind === 'close' && response.kind === 'closed') {
      this.#failure ??= new StorageError('CLOSED', 'This storage is closed.')
      runCallback(() => batch.done(response.failure && fromFailure(response.failure)))
      this.#failWaiting()
    } else {
      throw new TypeError(`the disk thread answered ${response.kind} to ${batch?.kind ?? 'nothing'}`)
    }
  }

  /** From here on nothing is written. What is under way ends with the error unless its answer still comes. */
  fail(error: StorageError): void {
    this.#failure ??= error
    if (this.#underWay === null) this.#failWaiting()
  }

  /** The disk thread is gone: no answer will come. */
  abandon(error: StorageError): void {
    this.#failure ??= error
    if (this.#underWay !== null) this.#waiting.unshift(this.#underWay)
    this.#underWay = null
    this.#failWaiting()
  }

  /** Forgets everything, callbacks too. */
  drop(): void {
    this.#waiting.length = 0
    this.#underWay = null
  }

  #writeBatch(): WriteBatch {
    const last = this.#waiting.at(-1)
    if (last?.kind === 'write' && last.packer.byteLength < MAX_BATCH_BYTES) return last
    const packer = new OperationPacker(this.#spare ?? new ArrayBuffer(FIRST_BUFFER_BYTES))
    this.#spare = null
    const batch: WriteBatch = { kind: 'write', packer, completions: [] }
    this.#waiting.push(batch)
    return batch
  }

  #advance(): void {
    if (this.#failure !== null) {
      this.#failSoon()
      return
    }
    if (this.#underWay !== null) return
    const batch = this.#waiting.shift()
    if (batch === undefined) return
    this.#underWay = batch
    if (batch.kind === 'write') {
      const { buffer, byteLength } = batch.packer
      this.#post({ kind: 'write', buffer, byteLength }, [buffer])
    } else if (batch.kind === 'open') {
      this.#post({ kind: 'open', groups: batch.requests.map((request) => request.group) }, [])
    } else {
      this.#post({ kind: 'close' }, [])
    }
  }

  /** Once for all that is asked for in this turn, and never inside the call. */
  #failSoon(): void {
    if (this.#failingSoon || this.#underWay !== null) return
    this.#failingSoon = true
    queueMicrotask(() => {
      this.#failingSoon = false
      this.#failWaiting()
    })
  }

  #failWaiting(): void {
    const error = this.#failure
    if (error === null) return
    for (const batch of this.#waiting.splice(0)) {
      if (batch.kind === 'write') completeWrites(batch, error)
      else if (batch.kind === 'open') {
        for (const { done } of batch.requests) runCallback(() => done({ ok: false, error }))
      } else runCallback(() => batch.done(null))
    }
  }
}

function completeWrites(batch: WriteBatch, error: StorageError | null): void {
  for (const { done, refused } of batch.completions) runCallback(() => done(refused ?? error))
}

function completeOpens(batch: OpenBatch, results: readonly OpenedGroup[]): void {
  batch.requests.forEach(({ opened, done }, position) => {
    const result = results[position]
    if (result === undefined)
      throw new TypeError('the disk thread answered for fewer groups than it was asked for')
    runCallback(() => done(opened(result)))
  })
}
