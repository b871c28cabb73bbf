// Answers between members as bytes: the protocol version, the sender, then null and the fields of the answer, or the
// error in place of them, and the checksum. Decoding checks everything and never throws.

import type { RemoteError } from '../rpc/peer-rpc.ts'
import type { AppendEntriesResponse, RequestVoteResponse, ResponseOf, RpcMethod } from './messages.ts'
import * as schemas from './schemas.ts'
import { decodeSmall, encodeTuple, type Result, readTuple } from './wire-message.ts'

/** An answer as it arrives: the sender, and what it says or why it says nothing. */
export interface InboundResponse<T> {
  readonly from: string
  readonly outcome:
    | { readonly ok: true; readonly response: T }
    | { readonly ok: false; readonly error: RemoteError }
}

type ResponseFields = { readonly [M in RpcMethod]: (response: ResponseOf<M>) => readonly unknown[] }
type ResponseReaders = {
  readonly [M in RpcMethod]: (tuple: unknown) => Result<InboundResponse<ResponseOf<M>>>
}

const { PROTOCOL_VERSION } = schemas
/** No other answer has so few fields and a list for its third. */
const ERROR_LENGTH = 4

const voteFields = (r: RequestVoteResponse): readonly unknown[] => [
  r.term,
  r.granted,
  r.rejectedByLease,
  r.disrupted,
  r.previousTerm,
]
const appendFields = (r: AppendEntriesResponse): readonly unknown[] => [r.term, r.success, r.lastLogIndex]

const RESPONSE_FIELDS: ResponseFields = {
  pre_vote: voteFields,
  request_vote: voteFields,
  append_entries: appendFields,
  heartbeat: appendFields,
  timeout_now: (r) => [r.term, r.success],
  read_index: (r) => [r.term, r.index],
}

export function encodeResponse<M extends RpcMethod>(
  from: string,
  method: M,
  response: ResponseOf<M>,
): Uint8Array {
  return encodeTuple([PROTOCOL_VERSION, from, null, ...RESPONSE_FIELDS[method](response)])
}

export function encodeErrorResponse(from: string, error: RemoteError): Uint8Array {
  const message = error.message.slice(0, schemas.MAX_REMOTE_MESSAGE_LENGTH)
  return encodeTuple([PROTOCOL_VERSION, from, [error.code, message]])
}

const voteResponse = (tuple: unknown) =>
  readTuple(tuple, schemas.voteResponse, (fields) => {
    const [, from, , term, granted, rejectedByLease, disrupted, previousTerm] = fields
    return answer(from, { term, granted, rejectedByLease, disrupted, previousTerm })
  })
const appendResponse = (tuple: unknown) =>
  readTuple(tuple, schemas.appendResponse, ([, from, , term, success, lastLogIndex]) =>
    answer(from, { term, success, lastLogIndex }),
  )

const RESPONSE_READERS: ResponseReaders = {
  pre_vote: voteResponse,
  request_vote: voteResponse,
  append_entries: appendResponse,
  heartbeat: appendResponse,
  timeout_now: (tuple) =>
    readTuple(tuple, schemas.timeoutNowResponse, ([, from, , term, success]) =>
      answer(from, { term, success }),
    ),
  read_index: (tuple) =>
    readTuple(tuple, schemas.readIndexResponse, ([, from, , term, index]) => answer(from, { term, index })),
}

/** Never throws. */
export function decodeResponse<M extends RpcMethod>(
  method: M,
  bytes: Uint8Array,
): Result<InboundResponse<ResponseOf<M>>> {
  const tuple = decodeSmall(bytes)
  if (!tuple.ok) return tuple
  if (Array.isArray(tuple.value) && tuple.value.length === ERROR_LENGTH && Array.isArray(tuple.value[2])) {
    return readTuple(tuple.value, schemas.errorResponse, ([, from, [code, message]]) => ({
      from,
      outcome: { ok: false, error: { code, message } },
    }))
  }
  return RESPONSE_READERS[method](tuple.value)
}

function answer<T>(from: string, response: T): InboundResponse<T> {
  return { from, outcome: { ok: true, response } }
}
