// What tells whether two files are equal: SHA-256 over the SHA-256 of each chunk. So chunks can come, and be checked,
// in any order.

import { createHash } from 'node:crypto'

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

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
