// Requests between members as bytes: `[version, from, …fields, checksum]`. Decoding checks everything and never throws.

import type { PeerId } from '../../rules/types.ts'
import { FrameCache } from './frame-cache.ts'
import { encodeEntries } from './messages/append-entries.ts'
import type { Layout } from './messages/message.ts'
import {
  type AppendEntriesRequest,
  type InboundRequest,
  MESSAGES,
  type RequestOf,
  type RpcMethod,
} from './messages/registry.ts'
import { type FrameDoor, openTuple, PEER_PROTOCOL_VERSION, type Result, sealTuple } from './sealed-tuple.ts'

/** Version and sender. */
const HEAD_ITEMS = 2

/**
 * One per endpoint: it remembers recent frames, so that entries sent to several peers are encoded once. The bytes it
 * returns may be returned again and must not be changed.
 */
export class RequestEncoder {
  readonly #from: string
  readonly #frames = new FrameCache()

  constructor(from: string) {
    this.#from = from
  }

  /** @throws RangeError when an AppendEntries has more entries than a frame can carry. */
  encode<M extends RpcMethod>(method: M, request: RequestOf<M>): Uint8Array {
    if ('entries' in request && request.entries.length > 0) return this.#encodeEntries(request)
    return sealTuple([PEER_PROTOCOL_VERSION, this.#from, ...MESSAGES[method].request.toItems(request)])
  }

  #encodeEntries(request: AppendEntriesRequest): Uint8Array {
    const cached = this.#frames.get(request)
    if (cached !== undefined) return cached
    const bytes = encodeEntries(this.#from, request)
    this.#frames.put(request, bytes)
    return bytes
  }
}

/** Never throws. Entry data are views on one private copy of the frame, so `bytes` may be reused at once. */
export function decodeRequest<M extends RpcMethod>(method: M, bytes: Uint8Array): Result<InboundRequest<M>> {
  const decoded = decodeSaid(MESSAGES[method], bytes)
  return decoded.ok ? { ok: true, value: { method, ...decoded.value } } : decoded
}

/** Of any message that is described like a member's. */
export function decodeSaid<M>(
  { frame, request }: { readonly frame: FrameDoor; readonly request: Layout<M, never> },
  bytes: Uint8Array,
): Result<{ readonly from: PeerId; readonly message: M }> {
  const opened = openTuple(bytes, frame)
  if (!opened.ok) return opened
  const { from, tuple } = opened.value
  const message = request.fromItems(tuple, HEAD_ITEMS)
  return message.ok ? { ok: true, value: { from, message: message.value } } : message
}
