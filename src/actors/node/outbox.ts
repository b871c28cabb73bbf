// The gate between a node and the bus: nothing that speaks of a term or a vote leaves before they are durable
// (docs/decisions.md, INV-2). While a record is on its way to disk, what is sent waits here, in order.

import { sheltered } from '../../runtime/errors.ts'

export class Outbox {
  readonly #failed: (thrown: unknown) => void
  #waiting: { readonly version: number; readonly send: () => void }[] = []
  #asked = 0
  #durable = 0

  /** @param failed hears what sending has thrown: a defect of ours, which must not hold back the next message */
  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed
  }

  /** A record is on its way; returns the version that `release` will name. */
  hold(): number {
    return ++this.#asked
  }

  get isOpen(): boolean {
    return this.#durable === this.#asked
  }

  /** Sends now, or as soon as every record asked for so far is durable. */
  post(send: () => void): void {
    if (this.isOpen && this.#waiting.length === 0) sheltered(send, this.#failed)
    else this.#waiting.push({ version: this.#asked, send })
  }

  /** The record of this version, and with it all before, is durable. */
  release(version: number): void {
    this.#durable = Math.max(this.#durable, version)
    let at = 0
    // What is sent may post more; that lies behind what waits already.
    for (; at < this.#waiting.length; at++) {
      const next = this.#waiting[at]
      if (next === undefined || next.version > this.#durable) break
      sheltered(next.send, this.#failed)
    }
    this.#waiting.splice(0, at)
  }

  /** What could not be made durable is never said. */
  discard(): void {
    this.#waiting = []
  }
}
