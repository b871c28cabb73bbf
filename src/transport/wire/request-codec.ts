// Requests between members as bytes: positional CBOR tuples that begin with the protocol version and the sender and
// end with a checksum. Decoding checks everything and never throws.

import type { z } from 'zod'
import { wireCodec } from './cbor.ts'
import {
  MAX_APPEND_BYTES,
  MAX_ENTRIES_PER_FRAME,
  MAX_RUNS_PER_FRAME,
  packRuns,
  unpackEntries,
} from './entries.ts'
import { FrameCache } from './frame-cache.ts'
import type { GateLimits } from './gate.ts'
import type {
  AppendEntriesRequest,
  InboundRequest,
  RequestOf,
  RequestVoteRequest,
  RpcMethod,
} from './messages.ts'
import * as schemas from './schemas.ts'
import { SEAL_BYTES, seal } from './seal.ts'
import { byteStringHeadSize, writeByteStringHead } from './value-codec.ts'
import { badBody, decodeSealed, decodeSmall, encodeTuple, type Result, readTuple } from './wire-message.ts'

const { PROTOCOL_VERSION } = schemas

const APPEND_LIMITS: GateLimits = {
  maxDepth: 3, // frame, runs, run
  maxItems: MAX_ENTRIES_PER_FRAME + 4 * MAX_RUNS_PER_FRAME + 9,
}

type RequestTuples = {
  readonly [M in RpcMethod]: (from: string, request: RequestOf<M>) => readonly unknown[]
}

const METHODS: { readonly [M in RpcMethod]: true } = {
  pre_vote: true,
  request_vote: true,
  append_entries: true,
  heartbeat: true,
  timeout_now: true,
  read_index: true,
}

export function isRpcMethod(name: string): name is RpcMethod {
  return Object.hasOwn(METHODS, name)
}

function voteTuple(from: string, request: RequestVoteRequest): readonly unknown[] {
  const { term, lastLogIndex, lastLogTerm, disruptedLeader: leader } = request
  const disrupted = leader === null ? null : [leader.peer, leader.term]
  return [PROTOCOL_VERSION, from, term, lastLogIndex, lastLogTerm, disrupted]
}

/** All but the data of the entries and the checksum. */
function appendHead(from: string, request: AppendEntriesRequest): unknown[] {
  const { term, prevLogIndex, prevLogTerm, committedIndex } = request
  return [PROTOCOL_VERSION, from, term, prevLogIndex, prevLogTerm, committedIndex, packRuns(request.entries)]
}

const emptyAppendTuple = (from: string, request: AppendEntriesRequest): readonly unknown[] => [
  ...appendHead(from, request),
  [],
]

const REQUEST_TUPLES: RequestTuples = {
  pre_vote: voteTuple,
  request_vote: voteTuple,
  append_entries: emptyAppendTuple,
  heartbeat: emptyAppendTuple,
  timeout_now: (from, { term, oldLeaderSteppedDown }) => [PROTOCOL_VERSION, from, term, oldLeaderSteppedDown],
  read_index: (from, { term }) => [PROTOCOL_VERSION, from, term],
}

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
    return encodeTuple(REQUEST_TUPLES[method](this.#from, request))
  }

  #encodeEntries(request: AppendEntriesRequest): Uint8Array {
    const cached = this.#frames.get(request)
    if (cached !== undefined) return cached
    const bytes = encodeAppend(this.#from, request)
    this.#frames.put(request, bytes)
    return bytes
  }
}

/**
 * cbor-x writes the seven small fields; the byte strings are written here, six times faster than it can, because it
 * looks through its list of extensions for each of them.
 */
function encodeAppend(from: string, request: AppendEntriesRequest): Uint8Array {
  const { entries } = request
  if (entries.length > MAX_ENTRIES_PER_FRAME) {
    throw new RangeError(
      `AppendEntries carries ${entries.length} entries; at most ${MAX_ENTRIES_PER_FRAME} fit.`,
    )
  }
  const head = wireCodec.encode(appendHead(from, request))
  let size = head.length + 3 + SEAL_BYTES
  for (const { data } of entries) size += byteStringHeadSize(data.length) + data.length
  const bytes = new Uint8Array(size)
  bytes.set(head)
  bytes[0] = 0x89 // an array of nine, where cbor-x wrote one of seven
  bytes[head.length] = 0x99 // an array with a length of two bytes
  bytes[head.length + 1] = entries.length >> 8
  bytes[head.length + 2] = entries.length & 0xff
  let at = head.length + 3
  for (const { data } of entries) {
    at = writeByteStringHead(bytes, at, data.length)
    bytes.set(data, at)
    at += data.length
  }
  return seal(bytes)
}

/** Never throws. Entry data are views on one private copy of the frame, so `bytes` may be reused at once. */
export function decodeRequest(method: RpcMethod, bytes: Uint8Array): Result<InboundRequest> {
  switch (method) {
    case 'append_entries':
    case 'heartbeat':
      return decodeAppend(method, bytes)
    case 'pre_vote':
    case 'request_vote':
      return small(bytes, schemas.voteRequest, ([, from, term, lastLogIndex, lastLogTerm, leader]) => {
        const disruptedLeader = leader === null ? null : { peer: leader[0], term: leader[1] }
        return { method, from, message: { term, lastLogIndex, lastLogTerm, disruptedLeader } }
      })
    case 'timeout_now':
      return small(bytes, schemas.timeoutNowRequest, ([, from, term, oldLeaderSteppedDown]) => ({
        method,
        from,
        message: { term, oldLeaderSteppedDown },
      }))
    case 'read_index':
      return small(bytes, schemas.readIndexRequest, ([, from, term]) => ({
        method,
        from,
        message: { term },
      }))
  }
}

function small<S extends z.ZodType, T>(
  bytes: Uint8Array,
  schema: S,
  build: (fields: z.output<S>) => T,
): Result<T> {
  const tuple = decodeSmall(bytes)
  return tuple.ok ? readTuple(tuple.value, schema, build) : tuple
}

function decodeAppend(method: 'append_entries' | 'heartbeat', bytes: Uint8Array): Result<InboundRequest> {
  // The bus hands out views on 64 KiB chunks, and a view of one entry would keep all of it alive: hence the copy.
  const tuple = decodeSealed(bytes, MAX_APPEND_BYTES, APPEND_LIMITS, 'copy')
  if (!tuple.ok) return tuple
  const parsed = readTuple(tuple.value, schemas.appendRequest, (fields) => fields)
  if (!parsed.ok) return parsed
  const [, from, term, prevLogIndex, prevLogTerm, committedIndex, runs, data] = parsed.value
  if ((runs[0]?.[0] ?? term) < prevLogTerm || (runs.at(-1)?.[0] ?? 0) > term || prevLogTerm > term) {
    return badBody('terms go back from the previous entry to the leader')
  }
  const entries = unpackEntries(prevLogIndex, runs, data)
  if (entries === undefined) return badBody('the runs do not cover the entries')
  const message = { term, prevLogIndex, prevLogTerm, committedIndex, entries }
  return { ok: true, value: { method, from, message } }
}
