// Users' values as CBOR: commands, queries and results. What is carried comes out exactly as it went in; what would not
// is refused. Neither side is ever lent memory of the other's.

import { byteStringHeadSize, startOfByteString, writeByteStringHead } from './byte-string.ts'
import { type CborReason, type Decoded, decodeGated, valueCodec, wireCodec } from './cbor.ts'
import { type GateLimits, MAX_GATE_DEPTH } from './gate.ts'
import { givenMemory, logMemory } from './slab.ts'
import type { ValueLimits } from './value-shape.ts'
import { ValueWriter } from './value-writer.ts'

/** How deep, rich and large a user's value may be. */
export const VALUE_LIMITS: ValueLimits = {
  maxDepth: MAX_GATE_DEPTH,
  maxItems: 262_144,
  maxBytes: 8 * 1024 * 1024,
}

const shared = new ValueWriter(VALUE_LIMITS)
const messages = new ValueWriter(VALUE_LIMITS, 'ours')
let busy = false

/**
 * Encodes a value. Carried are null, booleans, every number, `bigint` within 64 bits, well-formed text, byte strings
 * (a `Uint8Array`, also a `Buffer`), and plain arrays and objects of these. The result is a copy.
 *
 * @throws QuorateError INVALID for anything else, TOO_LARGE beyond `maxBytes`: what is in the way, and where.
 */
export function encodeValue(value: unknown, limits: ValueLimits = VALUE_LIMITS): Uint8Array {
  if (value instanceof Uint8Array && byteStringHeadSize(value.length) + value.length <= limits.maxBytes)
    return encodeByteString(value)
  // A proxy may ask us for another value while we look at it.
  if (busy) return new ValueWriter(limits).encode(value, limits)
  busy = true
  try {
    return shared.encode(value, limits)
  } finally {
    busy = false
  }
}

/**
 * A message around values, of arrays made here: nobody looks for holes in them, which takes longer than to write them.
 *
 * @throws QuorateError TOO_LARGE beyond the bounds of a value.
 */
export function encodeMessage(message: readonly unknown[]): Uint8Array {
  return messages.encode(message, VALUE_LIMITS)
}

/** Never throws. Byte strings in the value are plain `Uint8Array`s and the caller's own; maps become objects. */
export function decodeValue(
  bytes: Uint8Array,
  limits: GateLimits = VALUE_LIMITS,
): Decoded<unknown, CborReason> {
  const start = startOfByteString(bytes)
  if (start !== undefined) return { ok: true, value: givenMemory.copy(bytes, start) }
  // One copy for all of its byte strings, and cbor-x leaves its marks there.
  return decodeGated(valueCodec, givenMemory.copy(bytes), limits)
}

/** For messages around values. Never throws. Byte strings are views on one private copy of the message. */
export function decodeMessage(bytes: Uint8Array, limits: GateLimits): Decoded<unknown, CborReason> {
  return decodeGated(wireCodec, bytes, limits, 'copy')
}

function encodeByteString(value: Uint8Array): Uint8Array {
  const bytes = logMemory.allocate(byteStringHeadSize(value.length) + value.length)
  bytes.set(value, writeByteStringHead(bytes, 0, value.length))
  return bytes
}
