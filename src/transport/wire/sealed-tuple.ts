// A tuple with a checksum as its last item: how every message between members looks. Here are its head and the checks
// at the door, which need to know nothing of its fields.

import type { DropReason } from '../rpc/drops.ts'
import { isMemberName } from '../subjects.ts'
import { type Decoded, decodeGated, wireCodec } from './cbor.ts'
import type { GateLimits } from './gate.ts'
import { brokenSeal, seal, UNSEALED } from './seal.ts'

/** The major version of what members say to each other: the first item of every tuple. */
export const PEER_PROTOCOL_VERSION = 1

export type Result<T> = Decoded<T, DropReason>

/** What is refused before anybody looks at the fields of a frame. */
export interface FrameDoor {
  readonly maxBytes: number
  readonly gate: GateLimits
  /** `copy`: the message keeps byte strings, so they must not be views on what the bus handed over. */
  readonly ownership: 'view' | 'copy'
}

/** The head that every message begins with, and all items with it. The checksum is the last one. */
export interface Opened {
  readonly from: string
  readonly tuple: readonly unknown[]
}

/** The bytes of `items` and, as one more item, the checksum. `items` are used up. */
export function sealTuple(items: unknown[]): Uint8Array {
  items.push(UNSEALED)
  return seal(wireCodec.encode(items))
}

/** Size, checksum, structure, and only then the decoder; then version and sender. Never throws. */
export function openTuple(bytes: Uint8Array, door: FrameDoor): Result<Opened> {
  if (bytes.length > door.maxBytes) {
    return { ok: false, reason: 'TOO_LARGE', detail: `${bytes.length} bytes, at most ${door.maxBytes}` }
  }
  const broken = brokenSeal(bytes)
  if (broken !== undefined) return { ok: false, reason: 'BAD_CHECKSUM', detail: broken }
  const decoded = decodeGated(wireCodec, bytes, door.gate, door.ownership)
  if (!decoded.ok) return decoded
  const tuple = decoded.value
  if (!Array.isArray(tuple)) return badBody('not a tuple')
  const items: readonly unknown[] = tuple
  const [version, from] = items
  if (version !== PEER_PROTOCOL_VERSION) return wrongVersion(version)
  if (typeof from !== 'string' || !isMemberName(from)) return badBody('field from: must be a member name')
  return { ok: true, value: { from, tuple: items } }
}

/** Told apart from nonsense, because it is what an operator sees in the middle of an upgrade. */
function wrongVersion(version: unknown): Result<never> {
  if (typeof version !== 'number' || !Number.isSafeInteger(version))
    return badBody('field version: not a number')
  const detail = `version ${version}, expected ${PEER_PROTOCOL_VERSION}`
  return { ok: false, reason: 'WRONG_VERSION', detail }
}

export function badBody(detail: string): Result<never> {
  return { ok: false, reason: 'BAD_BODY', detail }
}
