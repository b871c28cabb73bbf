// The one door between bytes and plain values: the structural gate, then cbor-x with the options that keep the wire
// readable for every other CBOR implementation.

import { Encoder, type Options } from 'cbor-x'
import { messageOf } from '../../runtime/errors.ts'
import { checkCbor, type GateLimits, type GateReason } from './gate.ts'

export type Decoded<T, R extends string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: R; readonly detail: string }

export type CborReason = GateReason | 'UNDECODABLE'

const OPTIONS: Options = {
  useRecords: false, // else maps become tags that only cbor-x can read
  mapsAsObjects: true,
  tagUint8Array: false, // else every byte string carries a tag
  variableMapSize: true,
  copyBuffers: false, // byte strings are views on the input: whoever keeps them copies the input once
}

/** `useTag259ForMaps` and `int64AsNumber` exist in cbor-x but not in its types. */
interface HiddenOptions extends Options {
  readonly useTag259ForMaps: boolean
  readonly int64AsNumber: boolean
}

function createCodec(int64AsNumber: boolean): Encoder {
  const options: HiddenOptions = { ...OPTIONS, useTag259ForMaps: false, int64AsNumber }
  return new Encoder(options)
}

/** For messages: whole numbers of eight bytes arrive as numbers, and the schemas refuse unsafe ones. */
export const wireCodec = createCodec(true)
/** For users' values: whole numbers of eight bytes are bigint, so that none loses digits. */
export const valueCodec = createCodec(false)

/** Never throws. Byte strings in the value are views on `bytes`, or with `copy` on one private copy of them. */
export function decodeGated(
  codec: Encoder,
  bytes: Uint8Array,
  limits: GateLimits,
  ownership: 'view' | 'copy' = 'view',
): Decoded<unknown, CborReason> {
  const refused = checkCbor(bytes, limits)
  if (refused !== undefined) return { ok: false, reason: refused, detail: `${bytes.length} bytes` }
  try {
    const value: unknown = codec.decode(ownership === 'copy' ? new Uint8Array(bytes) : bytes)
    return { ok: true, value }
  } catch (error) {
    const detail = messageOf(error)
    return { ok: false, reason: 'UNDECODABLE', detail }
  }
}
