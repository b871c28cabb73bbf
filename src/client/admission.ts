// How much a client takes on: what its callers have asked for and not been answered, by number and by bytes. A caller that
// asks faster than the group answers is told so at once, and may wait until there is room.

import { QuorateError } from '../errors.ts'
import type { Operation } from './lane.ts'

export interface AdmissionLimits {
  readonly maxPending: number
  readonly maxPendingBytes: number
}

export class Admission {
  readonly #limits: AdmissionLimits
  #pending = 0
  #bytes = 0
  readonly #waiting: (() => void)[] = []

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  /** Room for what one caller asks for. @throws QuorateError BUSY, retryable, when there is none */
  take(bytes: number): void {
    const { maxPending, maxPendingBytes } = this.#limits
    // One that is larger than all room is let in alone: it would never be.
    if (this.#pending > 0 && (this.#pending >= maxPending || this.#bytes + bytes > maxPendingBytes)) {
      const text = `${this.#pending} operations of ${this.#bytes} bytes wait for an answer (maxPending, maxPendingBytes): wait for ready().`
      throw new QuorateError('BUSY', text, { retryable: true })
    }
    this.#pending += 1
    this.#bytes += bytes
  }

  /** It is answered. Once for each that was let in. */
  give(bytes: number): void {
    this.#pending -= 1
    this.#bytes -= bytes
    if (this.#waiting.length > 0 && this.#hasRoom()) this.release()
  }

  /** Resolves when half of the room is free. */
  ready(): Promise<void> {
    if (this.#hasRoom()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Nobody is left waiting. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #hasRoom(): boolean {
    const { maxPending, maxPendingBytes } = this.#limits
    return this.#pending <= maxPending / 2 && this.#bytes <= maxPendingBytes / 2
  }
}

/** An operation that has room, and gives it back when it is answered. One object for each, and no closures: they are many. */
export class Admitted<T> implements Operation<T> {
  readonly bytes: Uint8Array
  readonly deadlineMs: number
  refusal?: QuorateError
  mayBeApplied = false
  readonly #admission: Admission
  readonly #resolve: (value: T) => void
  readonly #reject: (error: QuorateError) => void
  #isOpen = true

  constructor(
    bytes: Uint8Array,
    deadlineMs: number,
    admission: Admission,
    resolve: (value: T) => void,
    reject: (error: QuorateError) => void,
  ) {
    this.bytes = bytes
    this.deadlineMs = deadlineMs
    this.#admission = admission
    this.#resolve = resolve
    this.#reject = reject
  }

  resolve(value: T): void {
    this.#answered()
    this.#resolve(value)
  }

  reject(error: QuorateError): void {
    this.#answered()
    this.#reject(error)
  }

  /** One that ran out of time may be answered all the same. */
  #answered(): void {
    if (this.#isOpen) this.#admission.give(this.bytes.byteLength)
    this.#isOpen = false
  }
}
