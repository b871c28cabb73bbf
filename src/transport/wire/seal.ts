// The seal of a message between members: a CRC-32 over all its bytes, as its last element. It is what stands between
// a flipped bit and a believed term; it is no protection against somebody who means harm and can compute it too.

import { crc32 } from 'node:zlib'

/** What encoders put in the place of the checksum: cbor-x writes it in the form that the seal always has. */
export const UNSEALED = 0xffff_ffff
/** A head and four bytes, big-endian, however small the number is. */
export const SEAL_BYTES = 5

const UINT32_HEAD = 0x1a

/** Puts the checksum in the last five bytes, in place. Returns `bytes`. */
export function seal(bytes: Uint8Array): Uint8Array {
  const at = bytes.length - SEAL_BYTES
  const checksum = crc32(bytes.subarray(0, at))
  bytes[at] = UINT32_HEAD
  bytes[at + 1] = checksum >>> 24
  bytes[at + 2] = (checksum >>> 16) & 0xff
  bytes[at + 3] = (checksum >>> 8) & 0xff
  bytes[at + 4] = checksum & 0xff
  return bytes
}

/** Why these bytes are not as they were sent, or undefined. Looks at nothing but the bytes. */
export function brokenSeal(bytes: Uint8Array): string | undefined {
  const at = bytes.length - SEAL_BYTES
  if (at < 1 || bytes[at] !== UINT32_HEAD) return `${bytes.length} bytes that do not end with a checksum`
  const high = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  const low = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0)
  const declared = high * 0x1_0000 + low
  const actual = crc32(bytes.subarray(0, at))
  return declared === actual ? undefined : `${bytes.length} bytes whose checksum does not fit`
}
