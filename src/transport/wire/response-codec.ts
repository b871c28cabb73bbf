// Answers between members as bytes: `[version, from, null, …fields, checksum]`, or the error in the place of null and
// the fields. Decoding checks everything and never throws.

import { ERROR_ITEM, errorItem, type RemoteError } from './messages/error-answer.ts'
import { describeIssue } from './messages/fields.ts'
import { encodePiece } from './messages/get-file.ts'
import type { Layout } from './messages/message.ts'
import { MESSAGES, type ResponseOf, type RpcMethod, type SentResponseOf } from './messages/registry.ts'
import {
  badBody,
  type FrameDoor,
  openTuple,
  PEER_PROTOCOL_VERSION,
  type Result,
  sealTuple,
} from './sealed-tuple.ts'

/** Version, sender, and null or an error. */
const HEAD_ITEMS = 3
const ERROR_AT = 2

/** An answer as it arrives: the sender, and what it says or why it says nothing. */
export interface InboundResponse<T> {
  readonly from: string
  readonly outcome:
    | { readonly ok: true; readonly response: T }
    | { readonly ok: false; readonly error: RemoteError }
}

export function encodeResponse<M extends RpcMethod>(
  from: string,
  method: M,
  response: SentResponseOf<M>,
): Uint8Array {
  if ('data' in response) return encodePiece(from, response)
  return sealTuple([PEER_PROTOCOL_VERSION, from, null, ...MESSAGES[method].answer.toItems(response)])
}

export function encodeErrorResponse(from: string, error: RemoteError): Uint8Array {
  return sealTuple([PEER_PROTOCOL_VERSION, from, errorItem(error)])
}

/** Never throws. Byte strings are parts of `bytes`. */
export function decodeResponse<M extends RpcMethod>(
  method: M,
  bytes: Uint8Array,
): Result<InboundResponse<ResponseOf<M>>> {
  return decodeAnswered(MESSAGES[method], bytes)
}

/** Of any message that is described like a member's. */
export function decodeAnswered<A>(
  { answerFrame, answer }: { readonly answerFrame: FrameDoor; readonly answer: Layout<A, never> },
  bytes: Uint8Array,
): Result<InboundResponse<A>> {
  const opened = openTuple(bytes, answerFrame)
  if (!opened.ok) return opened
  const { from, tuple } = opened.value
  if (tuple[ERROR_AT] !== null) return readError(from, tuple[ERROR_AT])
  const response = answer.fromItems(tuple, HEAD_ITEMS)
  return response.ok
    ? { ok: true, value: { from, outcome: { ok: true, response: response.value } } }
    : response
}

function readError(from: string, item: unknown): Result<InboundResponse<never>> {
  const parsed = ERROR_ITEM.safeParse(item)
  if (!parsed.success) return badBody(describeIssue(parsed.error))
  return { ok: true, value: { from, outcome: { ok: false, error: parsed.data } } }
}
