// Makes chunks of pieces of any size.

import { SNAPSHOT_CHUNK_BYTES } from '../snapshot-store.ts'

const FIRST_BYTES = 4096

export class ChunkBuffer {
  #data = new Uint8Array(0)
  #length = 0

  /** Takes a piece, which becomes the buffer's, and returns the chunks that are full with it. */
  add(bytes: Uint8Array): Uint8Array[] {
    const isChunk = bytes.length === SNAPSHOT_CHUNK_BYTES && bytes.length === bytes.buffer.byteLength
    return isChunk && this.#length === 0 ? [bytes] : this.addCopy(bytes)
  }

  /** The same for a piece that stays its owner's; each chunk has its memory for itself. */
  addCopy(bytes: Uint8Array): Uint8Array[] {
    const chunks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + SNAPSHOT_CHUNK_BYTES - this.#length)
      this.#append(part)
      at += part.length
      if (this.#length === SNAPSHOT_CHUNK_BYTES) chunks.push(this.#take())
    }
    return chunks
  }

  /** What is left at the end of the file; null: nothing. */
  end(): Uint8Array | null {
    return this.#length === 0 ? null : this.#take()
  }

  #append(part: Uint8Array): void {
    const length = this.#length + part.length
    if (length > this.#data.length) {
      const grown = new Uint8Array(Math.min(SNAPSHOT_CHUNK_BYTES, Math.max(FIRST_BYTES, 2 * length)))
      grown.set(this.#data.subarray(0, this.#length))
      this.#data = grown
    }
    this.#data.set(part, this.#length)
    this.#length = length
  }

  #take(): Uint8Array {
    const taken = this.#length === this.#data.length ? this.#data : this.#data.slice(0, this.#length)
    this.#data = new Uint8Array(0)
    this.#length = 0
    return taken
  }
}

/** `data` with memory for itself, which can be given away. */
export function movable(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = data
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return new Uint8Array(buffer)
  return new Uint8Array(data)
}
