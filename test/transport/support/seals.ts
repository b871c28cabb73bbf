// Checksums of messages, written without the codec: for messages that only look as if the codec had made them.

import { crc32 } from 'node:zlib'
import { Encoder } from 'cbor-x'

/** As another implementation might write, with the library's own settings for plain values. */
export const plain = new Encoder({ useRecords: false, tagUint8Array: false })

/** `bytes` with a checksum after them. */
export function withChecksum(bytes: Uint8Array): Uint8Array {
  const checksum = Buffer.alloc(5, 0x1a)
  checksum.writeUInt32BE(crc32(bytes), 1)
  return Uint8Array.from(Buffer.concat([bytes, checksum]))
}

/** `bytes` with a checksum in the place of the last five. */
export function resealed(bytes: Uint8Array): Uint8Array {
  return withChecksum(bytes.subarray(0, -5))
}

/** A tuple, and its checksum as one more element. */
export function sealedTuple(tuple: readonly unknown[]): Uint8Array {
  return resealed(plain.encode([...tuple, 0xffff_ffff]))
}
