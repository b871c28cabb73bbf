// The CRC-32 of what is stored, so that a damaged row, or one at the place of another, is noticed when it is read.

import { crc32 } from 'node:zlib'

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1
  return remainder
})

/**
 * Checksums of log entries over group number (u32), term (u64), type (u8), index (u64), all little-endian, and data.
 * Index comes after the rest because neighbors share what is before it, which is then computed once.
 */
export class EntryChecksum {
  readonly #head = new DataView(new ArrayBuffer(13))
  #group = -1
  #term = -1
  #type = -1
  #headChecksum = 0

  of(group: number, term: number, type: number, index: number, data: Uint8Array): number {
    if (group !== this.#group || term !== this.#term || type !== this.#type) this.#restart(group, term, type)
    const checksum = extend(this.#headChecksum, index)
    // zlib answers 0 for an empty buffer without memory behind it, whatever it was asked to go on from.
    return data.length === 0 ? checksum : crc32(data, checksum)
  }

  #restart(group: number, term: number, type: number): void {
    this.#group = group
    this.#term = term
    this.#type = type
    this.#head.setUint32(0, group, true)
    this.#head.setBigUint64(4, BigInt(term), true)
    this.#head.setUint8(12, type)
    this.#headChecksum = crc32(this.#head)
  }
}

/** Goes on from `checksum` with the eight bytes of `index`; a native call for so little would cost ten times as much. */
function extend(checksum: number, index: number): number {
  let remainder = ~checksum
  let low = index >>> 0
  let high = Math.floor(index / 2 ** 32)
  for (let byte = 0; byte < 4; byte++, low >>>= 8) remainder = step(remainder, low)
  for (let byte = 0; byte < 4; byte++, high >>>= 8) remainder = step(remainder, high)
  return ~remainder >>> 0
}

function step(remainder: number, byte: number): number {
  return (remainder >>> 8) ^ (TABLE[(remainder ^ byte) & 0xff] ?? 0)
}

/** The checksum of a record of plain values. JSON tells `null`, `0` and `"0"` apart. */
export function recordChecksum(values: readonly (string | number | null)[]): number {
  return crc32(JSON.stringify(values))
}
