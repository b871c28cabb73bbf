// What requests and answers have in common on the wire: the checks at the door, reading a tuple against its schema,
// and saying why not.

import type { z } from 'zod'
import type { DropReason } from '../rpc/drops.ts'
import { type Decoded, decodeGated, wireCodec } from './cbor.ts'
import type { GateLimits } from './gate.ts'
import { describeIssue, PROTOCOL_VERSION } from './schemas.ts'
import { brokenSeal, seal, UNSEALED } from './seal.ts'

export type Result<T> = Decoded<T, DropReason>

/** Bytes beyond which a message other than AppendEntries is refused unseen. */
const MAX_SMALL_MESSAGE_BYTES = 4096
const SMALL_LIMITS: GateLimits = { maxDepth: 2, maxItems: 16 }

/** `fields` and, as one more element, the checksum. */
export function encodeTuple(fields: readonly unknown[]): Uint8Array {
  return seal(wireCodec.encode([...fields, UNSEALED]))
}

/** Everything but AppendEntries is a handful of numbers. */
export function decodeSmall(bytes: Uint8Array): Result<unknown> {
  return decodeSealed(bytes, MAX_SMALL_MESSAGE_BYTES, SMALL_LIMITS, 'view')
}

/** The door: size, checksum, structure, and only then the decoder. With `copy` nothing of `bytes` is kept. */
export function decodeSealed(
  bytes: Uint8Array,
  maxBytes: number,
  limits: GateLimits,
  ownership: 'view' | 'copy',
): Result<unknown> {
  if (bytes.length > maxBytes) {
    return { ok: false, reason: 'TOO_LARGE', detail: `${bytes.length} bytes, at most ${maxBytes}` }
  }
  const broken = brokenSeal(bytes)
  if (broken !== undefined) return { ok: false, reason: 'BAD_CHECKSUM', detail: broken }
  return decodeGated(wireCodec, bytes, limits, ownership)
}

/** Checks a decoded tuple and builds the message from its fields. */
export function readTuple<S extends z.ZodType, T>(
  tuple: unknown,
  schema: S,
  build: (fields: z.output<S>) => T,
): Result<T> {
  const parsed = schema.safeParse(tuple)
  if (parsed.success) return { ok: true, value: build(parsed.data) }
  // Told apart from nonsense, because it is what an operator sees in the middle of an upgrade.
  if (Array.isArray(tuple) && Number.isSafeInteger(tuple[0]) && tuple[0] !== PROTOCOL_VERSION) {
    return { ok: false, reason: 'WRONG_VERSION', detail: `version ${tuple[0]}, expected ${PROTOCOL_VERSION}` }
  }
  return badBody(describeIssue(parsed.error))
}

export function badBody(detail: string): Result<never> {
  return { ok: false, reason: 'BAD_BODY', detail }
}
