// Byte strings of CBOR (major type 2), whose heads are also written where no value is: in frames of entries.

/** Bytes that the head of a byte string of `length` bytes takes; heads of text take the same. */
export function byteStringHeadSize(length: number): number {
  if (length < 24) return 1
  if (length < 0x100) return 2
  if (length < 0x10000) return 3
  return 5
}

/** Writes the head (major type 2) and returns the position after it. */
export function writeByteStringHead(target: Uint8Array, at: number, length: number): number {
  if (length < 24) {
    target[at] = 0x40 | length
    return at + 1
  }
  if (length < 0x100) {
    target[at] = 0x58
    target[at + 1] = length
    return at + 2
  }
  if (length < 0x10000) {
    target[at] = 0x59
    target[at + 1] = length >> 8
    target[at + 2] = length & 0xff
    return at + 3
  }
  target[at] = 0x5a
  target[at + 1] = length >>> 24
  target[at + 2] = (length >> 16) & 0xff
  target[at + 3] = (length >> 8) & 0xff
  target[at + 4] = length & 0xff
  return at + 5
}

/** Where the content begins when `bytes` are one byte string of definite length and nothing else. */
export function startOfByteString(bytes: Uint8Array): number | undefined {
  const head = bytes[0] ?? 0
  if (head < 0x40 || head > 0x5b) return undefined
  const info = head & 0x1f
  const width = info < 24 ? 0 : 1 << (info - 24)
  let length = info < 24 ? info : 0
  for (let i = 1; i <= width; i += 1) length = length * 256 + (bytes[i] ?? 0)
  return 1 + width + length === bytes.length ? 1 + width : undefined
}

export function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && head.every((byte, at) => bytes[at] === byte)
}
