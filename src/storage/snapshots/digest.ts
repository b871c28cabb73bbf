// What tells whether two files are equal: SHA-256 over the SHA-256 of each chunk. So chunks can come, and be checked,
// in any order.

import { createHash } from 'node:crypto'
import { SNAPSHOT_CHUNK_BYTES } from '../snapshot-store.ts'

export const DIGEST_BYTES = 32

export function chunkDigest(data: Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest()
}

/** `chunks` in the order of the file. */
export function fileDigest(chunks: Iterable<Uint8Array>): Uint8Array {
  const sum = createHash('sha256')
  for (const chunk of chunks) sum.update(chunk)
  return sum.digest()
}

/** The same for a file that comes in pieces of any size. */
export class FileSum {
  readonly #file = createHash('sha256')
  #chunk = createHash('sha256')
  #chunkBytes = 0
  bytes = 0

  add(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      const part = data.subarray(at, at + SNAPSHOT_CHUNK_BYTES - this.#chunkBytes)
      this.#chunk.update(part)
      this.#chunkBytes += part.length
      at += part.length
      if (this.#chunkBytes === SNAPSHOT_CHUNK_BYTES) this.#endChunk()
    }
    this.bytes += data.length
  }

  digest(): Uint8Array {
    if (this.#chunkBytes > 0) this.#endChunk()
    return this.#file.digest()
  }

  #endChunk(): void {
    this.#file.update(this.#chunk.digest())
    this.#chunk = createHash('sha256')
    this.#chunkBytes = 0
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
