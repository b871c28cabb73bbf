// The gate between a node and the bus: nothing that speaks of a term or a vote leaves before they are durable
// (decision 4, INV-2). While a record is on its way to disk, what is sent waits here, in order.

export class Outbox {
  #waiting: { readonly version: number; readonly send: () => void }[] = []
  #asked = 0
  #durable = 0

  /** A record is on its way; returns the version that `release` will name. */
  hold(): number {
    return ++this.#asked
  }

  get isOpen(): boolean {
    return this.#durable === this.#asked
  }

  /** Version of the newest durable record. */
  get durableVersion(): number {
    return this.#durable
  }

  /** Sends now, or as soon as every record asked for so far is durable. */
  post(send: () => void): void {
    if (this.isOpen) send()
    else this.#waiting.push({ version: this.#asked, send })
  }

  /** The record of this version, and with it all before, is durable. */
  release(version: number): void {
    this.#durable = Math.max(this.#durable, version)
    while (this.#waiting[0] !== undefined && this.#waiting[0].version <= this.#durable)
      this.#waiting.shift()?.send()
  }

  /** What could not be made durable is never said. */
  discard(): void {
    this.#waiting = []
  }
}
