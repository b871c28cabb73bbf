// Users' values as CBOR: commands, queries and results. Anything JSON can carry, and also bytes, bigint within 64
// bits and every float.

import { QuorateError } from '../../errors.ts'
import { messageOf } from '../../runtime/errors.ts'
import { type CborReason, type Decoded, decodeGated, valueCodec } from './cbor.ts'
import { checkCbor, type GateLimits, type GateReason, MAX_GATE_DEPTH } from './gate.ts'
import { allocate } from './slab.ts'

/** How deep and how rich a user's value may be. The depth is at most 64. */
export const VALUE_LIMITS: GateLimits = { maxDepth: MAX_GATE_DEPTH, maxItems: 262_144 }

const WHAT_IS_WRONG: { readonly [R in GateReason]?: string } = {
  TAG: 'it holds a Date, Set, Error, RegExp, typed array or a bigint beyond 64 bits; send a number, string or array',
  INDEFINITE_LENGTH: 'it holds an iterable that is not an array',
  SIMPLE_VALUE: 'it holds a value that CBOR has no plain form for',
  KEY_NOT_TEXT: 'it holds a Map whose keys are not all strings',
  TOO_DEEP: `it is nested more than ${MAX_GATE_DEPTH} levels deep`,
  TOO_MANY_ITEMS: `it holds more than ${VALUE_LIMITS.maxItems} values`,
}

/**
 * Encodes a value; `undefined`, also inside, becomes null. A `Uint8Array` becomes a plain byte string. The result is
 * the caller's own.
 *
 * @throws QuorateError INVALID when the value has no plain CBOR form, saying what is in the way.
 */
export function encodeValue(value: unknown, limits: GateLimits = VALUE_LIMITS): Uint8Array {
  if (value instanceof Uint8Array) return encodeByteString(value)
  let bytes: Uint8Array
  try {
    const encoded = valueCodec.encode(value)
    bytes = allocate(encoded.length)
    bytes.set(encoded)
  } catch (error) {
    const why = error instanceof RangeError ? 'it refers to itself or is too large' : messageOf(error)
    throw new QuorateError('INVALID', `The value cannot be encoded: ${why}.`, { cause: error })
  }
  const refused = checkCbor(bytes, { ...limits, undefinedToNull: true })
  if (refused === undefined) return bytes
  throw new QuorateError('INVALID', `The value cannot be encoded: ${WHAT_IS_WRONG[refused] ?? refused}.`)
}

/** Never throws. Byte strings in the value are views on `bytes`; maps become objects. */
export function decodeValue(
  bytes: Uint8Array,
  limits: GateLimits = VALUE_LIMITS,
): Decoded<unknown, CborReason> {
  const plain = readByteString(bytes)
  if (plain !== undefined) return { ok: true, value: plain }
  // cbor-x notes something on the array it reads from; that array must not be the caller's.
  return decodeGated(valueCodec, bytes.subarray(), limits)
}

/** Bytes that the head of a byte string of `length` bytes takes. */
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

function encodeByteString(value: Uint8Array): Uint8Array {
  const bytes = allocate(byteStringHeadSize(value.length) + value.length)
  bytes.set(value, writeByteStringHead(bytes, 0, value.length))
  return bytes
}

/** The content when `bytes` are one byte string of definite length and nothing else. */
function readByteString(bytes: Uint8Array): Uint8Array | undefined {
  const head = bytes[0] ?? 0
  if (head < 0x40 || head > 0x5b) return undefined
  const info = head & 0x1f
  const width = info < 24 ? 0 : 1 << (info - 24)
  let length = info < 24 ? info : 0
  for (let i = 1; i <= width; i += 1) length = length * 256 + (bytes[i] ?? 0)
  return 1 + width + length === bytes.length ? bytes.subarray(1 + width) : undefined
}
