// The caller's side of the disk thread: operations collect here in the order asked for while one request is under way,
// and leave together when it is answered. Callbacks run in that order too, never inside the call that brought them.
// They must not throw: whoever takes one from outside shelters it.

import type { LogEntry } from '../../rules/types.ts'
import { BYTES, Histogram, quantileOf, SECONDS } from '../../runtime/histogram.ts'
import { type StorageDone, StorageError, type StorageFigures, type WriteTimes } from '../storage.ts'
import { fromFailure } from './failure.ts'
import type { DiskRequest, DiskResponse, OpenedGroup } from './messages.ts'
import { MAX_WEIGHT, OperationPacker } from './operations.ts'

export interface OpenRequest {
  readonly group: string
  readonly opened: (result: OpenedGroup) => void
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
type WrittenResponse = DiskResponse & { readonly kind: 'written' }
type OpenedResponse = DiskResponse & { readonly kind: 'opened' }
type ClosedResponse = DiskResponse & { readonly kind: 'closed' }
type Batch = WriteBatch | OpenBatch | CloseBatch

interface Completion {
  readonly done: StorageDone
  /** Set when the operation was refused before it came near the disk. */
  readonly refused: StorageError | null
}

const FIRST_BUFFER_BYTES = 64 * 1024
/**
 * A larger buffer is not kept for the next batch. Buffers grow by doubling: that of a full batch is kept, for growing to it
 * again each time costs as much as packing it.
 */
const MAX_SPARE_BYTES = 2 * MAX_WEIGHT

export class RequestQueue {
  readonly #post: (request: DiskRequest, transfer: readonly ArrayBuffer[]) => void
  readonly #waiting: Batch[] = []
  #underWay: WriteBatch | CloseBatch | null = null
  readonly #opening = new Map<number, OpenRequest>()
  #nextOpenId = 1
  #spare: ArrayBuffer | null = null
  /** Dropped or abandoned: answers that still come mean nothing. */
  #isDeaf = false
  #failure: StorageError | null = null
  #failingSoon = false
  readonly #writeSeconds = new Histogram(SECONDS)
  readonly #writeBytes = new Histogram(BYTES)

  constructor(post: (request: DiskRequest, transfer: readonly ArrayBuffer[]) => void) {
    this.#post = post
  }

  get figures(): Pick<StorageFigures, 'writeSeconds' | 'writeBytes'> {
    return { writeSeconds: this.#writeSeconds.figures(), writeBytes: this.#writeBytes.figures() }
  }

  get writeTimes(): WriteTimes | undefined {
    const figures = this.#writeSeconds.figures()
    const [p50, p99] = [quantileOf(figures, 0.5), quantileOf(figures, 0.99)]
    if (p50 === null || p99 === null) return undefined
    const count = figures.counts.reduce((sum, each) => sum + each, 0)
    return { count, p50Ms: p50 * 1000, p99Ms: p99 * 1000 }
  }

  get idle(): boolean {
    return this.#underWay === null && this.#waiting.length === 0 && this.#opening.size === 0
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

  /** An append that is too large for one transaction goes in several, and completes with the last. */
  append(group: number, entries: readonly LogEntry[], done: StorageDone): void {
    let batch = this.#writeBatch()
    if (this.#failure === null) {
      for (let next = batch.packer.append(group, entries, 0); next < entries.length; ) {
        batch = this.#writeBatch()
        next = batch.packer.append(group, entries, next)
      }
    }
    batch.completions.push({ done, refused: null })
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

  /** Takes an answer of the disk thread. The next request leaves before callbacks run, so the disk is busy. */
  answered(response: WrittenResponse | OpenedResponse | ClosedResponse): void {
    // Nobody waits for it any more: the thread may not have heard that yet.
    if (this.#isDeaf) return
    if (response.kind === 'opened') this.#opened(response)
    else if (response.kind === 'written') this.#written(response)
    else this.#ended(response)
  }

  #written({ failure, spare, tookMs }: WrittenResponse): void {
    const batch = this.#underWay
    if (batch?.kind !== 'write') throw unexpected('written', batch)
    this.#underWay = null
    if (spare.byteLength <= MAX_SPARE_BYTES) this.#spare = spare
    // A barrier writes nothing.
    if (batch.packer.byteLength > 0) this.#writeSeconds.observe(tookMs / 1000)
    const error = failure && fromFailure(failure)
    if (error !== null) this.#failure ??= error
    else this.#advance()
    completeWrites(batch, error)
    if (error !== null) this.#failWaiting()
  }

  #opened({ id, result }: OpenedResponse): void {
    const request = this.#opening.get(id)
    if (request === undefined) throw unexpected('opened', this.#underWay)
    this.#opening.delete(id)
    this.#advance()
    request.opened(result)
  }

  #ended({ failure }: ClosedResponse): void {
    const batch = this.#underWay
    if (batch?.kind !== 'close') throw unexpected('closed', batch)
    this.#underWay = null
    this.#failure ??= new StorageError('CLOSED', 'This storage is closed.')
    batch.done(failure && fromFailure(failure))
    this.#failWaiting()
  }

  /** From here on nothing is written. What is under way ends with the error unless its answer still comes. */
  fail(error: StorageError): void {
    this.#failure ??= error
    if (this.#underWay === null) this.#failWaiting()
  }

  /** No answer will come: the disk thread is gone, or is waited for no longer. */
  abandon(error: StorageError): void {
    this.#isDeaf = true
    this.#failure ??= error
    if (this.#underWay !== null) this.#waiting.unshift(this.#underWay)
    this.#underWay = null
    const opening = [...this.#opening.values()]
    this.#opening.clear()
    this.#failWaiting()
    for (const { opened } of opening) opened({ ok: false, failure: error })
  }

  /** Forgets everything, callbacks too. */
  drop(): void {
    this.#isDeaf = true
    this.#waiting.length = 0
    this.#opening.clear()
    this.#underWay = null
  }

  #writeBatch(): WriteBatch {
    const last = this.#waiting.at(-1)
    if (last?.kind === 'write' && !last.packer.isFull) return last
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
    while (this.#underWay === null) {
      const [batch] = this.#waiting
      // What is being opened is let end before the close.
      if (batch === undefined || (batch.kind === 'close' && this.#opening.size > 0)) return
      this.#waiting.shift()
      this.#send(batch)
    }
  }

  #send(batch: Batch): void {
    switch (batch.kind) {
      case 'write': {
        this.#underWay = batch
        const { buffer, byteLength } = batch.packer
        if (byteLength > 0) this.#writeBytes.observe(byteLength)
        this.#post({ kind: 'write', buffer, byteLength }, [buffer])
        break
      }
      case 'open': {
        const firstId = this.#nextOpenId
        for (const request of batch.requests) this.#opening.set(this.#nextOpenId++, request)
        this.#post({ kind: 'open', firstId, groups: batch.requests.map(({ group }) => group) }, [])
        break
      }
      case 'close':
        this.#underWay = batch
        this.#post({ kind: 'close' }, [])
        break
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
        for (const { opened } of batch.requests) opened({ ok: false, failure: error })
      } else batch.done(null)
    }
  }
}

function completeWrites(batch: WriteBatch, error: StorageError | null): void {
  for (const { done, refused } of batch.completions) done(refused ?? error)
}

function unexpected(answer: string, batch: Batch | null): TypeError {
  return new TypeError(`the disk thread answered ${answer} to ${batch?.kind ?? 'nothing'}`)
}
