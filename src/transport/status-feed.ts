// The current status of a bus connection and those who want to hear when it changes.

import { sheltered } from '../runtime/errors.ts'
import type { TransportStatus } from './transport.ts'

export class StatusFeed {
  readonly #handlers = new Set<(status: TransportStatus) => void>()
  readonly #report: (thrown: unknown) => void
  #status: TransportStatus

  /** `report` hears what a listener throws; the others are told all the same. */
  constructor(initial: TransportStatus, report: (thrown: unknown) => void) {
    this.#status = initial
    this.#report = report
  }

  get current(): TransportStatus {
    return this.#status
  }

  set(status: TransportStatus): void {
    this.#status = status
    for (const handler of [...this.#handlers]) sheltered(() => handler(status), this.#report)
  }

  /** Returns the function that ends it. */
  listen(handler: (status: TransportStatus) => void): () => void {
    // Wrapped, so that listening twice with one function is two listeners with an end of their own.
    const own = (status: TransportStatus): void => handler(status)
    this.#handlers.add(own)
    return () => void this.#handlers.delete(own)
  }
}
