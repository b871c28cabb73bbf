// How much a client takes on: what its callers have asked for and not been answered, by number and by bytes. A caller that
// asks faster than the group answers is told so at once, and may wait until there is room.

import { QuorateError } from '../errors.ts'

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
