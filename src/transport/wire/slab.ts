// Small byte arrays cut from larger ones: an allocation of its own for every command costs more than the command.

import { markAsUntransferable } from 'node:worker_threads'

export class Slab {
  readonly #slabBytes: number
  readonly #largest: number
  #slab: Uint8Array
  #used = 0

  /** Arrays of more than `largest` bytes get memory of their own, so that little is wasted at the end of a slab. */
  constructor(slabBytes: number, largest: number) {
    this.#slabBytes = slabBytes
    this.#largest = largest
    this.#slab = makeSlab(slabBytes)
  }

  /** Zeroed memory that is handed out once. Arrays that are made together keep each other's memory alive. */
  allocate(length: number): Uint8Array {
    if (length > this.#largest) return new Uint8Array(length)
    if (this.#used + length > this.#slabBytes) this.#renew()
    const bytes = this.#slab.subarray(this.#used, this.#used + length)
    this.#used += length
    return bytes
  }

  /** A plain `Uint8Array` of the same bytes, whatever view they come in; without the first `skipped`. */
  copy(bytes: Uint8Array, skipped = 0): Uint8Array {
    const { length } = bytes
    if (length > this.#largest) return new Uint8Array(bytes.subarray(skipped))
    if (this.#used + length > this.#slabBytes) this.#renew()
    // Those that are skipped are copied, too: a view more on what is to be copied would cost more.
    this.#slab.set(bytes, this.#used)
    const copied = this.#slab.subarray(this.#used + skipped, this.#used + length)
    this.#used += length
    return copied
  }

  #renew(): void {
    this.#slab = makeSlab(this.#slabBytes)
    this.#used = 0
  }
}

/** Whoever sent one array away to another thread would take its neighbors along. Node's own pool is marked, too. */
function makeSlab(bytes: number): Uint8Array {
  const slab = new Uint8Array(bytes)
  markAsUntransferable(slab.buffer)
  return slab
}

/** What the log keeps. Large slabs suit commands: they enter and leave the log in order. Never lent to user code. */
export const logMemory = new Slab(64 * 1024, 4 * 1024)
/** What is given away: users may write on it and keep it, so nothing of ours lies beside it. */
export const givenMemory = new Slab(16 * 1024, 1024)
