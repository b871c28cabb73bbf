// What a client and a member say to each other about a subscription. The client asks for the answer to a query as long as it is
// the one that it knows; the member answers when it has another one, or when it has waited for long enough. Nothing is kept
// between two questions but what the client brings along, so any member can go on where another has ended.
//
//   subscribe  [1, client, after, digest or null, waitMs, query bytes]
//   answer     [1, member, index, digest, bytes]      what the machine answers at that index; no bytes: it returned nothing
//              [1, member, index]                     nothing else than what is known, or nothing as new as `after`
//              [1, member, code, message, again]      an error; `again`: another member, or another attempt, may succeed

import { z } from 'zod'
import { isQuorateErrorCode, type QuorateErrorCode } from '../errors.ts'
import { memberNameSchema } from '../options.ts'
import type { LogIndex, PeerId } from '../rules/types.ts'
import { decodeMessage, decodeValue, encodeMessage } from '../transport/wire/codec.ts'
import { CLIENT_PROTOCOL_VERSION, MAX_CLIENT_NAME } from './client-protocol.ts'

/** Of the subjects, beside `propose` and `read`. */
export const SUBSCRIBE = 'subscribe'
export const MAX_QUERY_BYTES = 4096
export const MIN_WAIT_MS = 100
export const MAX_WAIT_MS = 60_000
export const DIGEST_BYTES = 16
/** Around the bytes of an answer. */
export const ANSWER_OVERHEAD_BYTES = 256
const MAX_TEXT = 1000

const LIMITS = { maxDepth: 2, maxItems: 16 } as const
const index = z.int().min(0)
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const digest = bytes.refine((value) => value.length === DIGEST_BYTES)

const requestSchema = z.tuple([
  z.literal(CLIENT_PROTOCOL_VERSION),
  z.string().max(MAX_CLIENT_NAME),
  index,
  digest.nullable(),
  z.int().min(MIN_WAIT_MS).max(MAX_WAIT_MS),
  bytes.refine((value) => value.length > 0 && value.length <= MAX_QUERY_BYTES),
])

export interface SubscribeRequest {
  /** A state older than this is of no use. */
  readonly after: LogIndex
  /** Of the answer that is known; null: none is. */
  readonly digest: Uint8Array | null
  readonly waitMs: number
  readonly query: Uint8Array
}

export function encodeSubscribe(client: string, request: SubscribeRequest): Uint8Array {
  const { after, digest: known, waitMs, query } = request
  return encodeMessage([CLIENT_PROTOCOL_VERSION, client, after, known, waitMs, query])
}

/** Undefined: it is none. The bytes in it are copies. */
export function parseSubscribe(payload: Uint8Array): SubscribeRequest | undefined {
  const decoded = decodeMessage(payload, LIMITS)
  const parsed = decoded.ok ? requestSchema.safeParse(decoded.value).data : undefined
  if (parsed === undefined) return undefined
  const [, , after, known, waitMs, query] = parsed
  return { after, digest: known && Uint8Array.from(known), waitMs, query: Uint8Array.from(query) }
}

export type SubscribeAnswer =
  | {
      readonly kind: 'new'
      readonly member: PeerId
      readonly index: LogIndex
      readonly digest: Uint8Array
      readonly value: unknown
    }
  | { readonly kind: 'same'; readonly member: PeerId; readonly index: LogIndex }
  | {
      readonly kind: 'error'
      readonly member: PeerId
      readonly code: QuorateErrorCode
      readonly message: string
      readonly again: boolean
    }

export function encodeNew(
  member: PeerId,
  at: LogIndex,
  known: Uint8Array,
  value: Uint8Array | null,
): Uint8Array {
  return encodeMessage([CLIENT_PROTOCOL_VERSION, member, at, known, value])
}

export function encodeSame(member: PeerId, at: LogIndex): Uint8Array {
  return encodeMessage([CLIENT_PROTOCOL_VERSION, member, at])
}

export function encodeSubscribeError(
  member: PeerId,
  code: QuorateErrorCode,
  message: string,
  again: boolean,
): Uint8Array {
  const text = message.slice(0, MAX_TEXT).toWellFormed()
  return encodeMessage([CLIENT_PROTOCOL_VERSION, member, code, text, again])
}

const head = [z.literal(CLIENT_PROTOCOL_VERSION), memberNameSchema] as const
const answerSchema = z.union([
  z.tuple([...head, index]),
  z.tuple([...head, index, digest, bytes.nullable()]),
  z.tuple([...head, z.custom<QuorateErrorCode>(isQuorateErrorCode), z.string().max(MAX_TEXT), z.boolean()]),
])

/** Undefined: it is none. */
export function parseSubscribeAnswer(payload: Uint8Array): SubscribeAnswer | undefined {
  const decoded = decodeMessage(payload, LIMITS)
  const parsed = decoded.ok ? answerSchema.safeParse(decoded.value).data : undefined
  if (parsed === undefined) return undefined
  const [, member, what] = parsed
  if (parsed.length === 3) return { kind: 'same', member, index: parsed[2] }
  if (typeof what === 'string')
    return { kind: 'error', member, code: what, message: String(parsed[3]), again: parsed[4] === true }
  const [, , , known, value] = parsed
  if (!(known instanceof Uint8Array) || typeof value === 'boolean') return undefined
  const result = value === null ? { ok: true as const, value: undefined } : decodeValue(value)
  if (!result.ok) return undefined
  return { kind: 'new', member, index: what, digest: Uint8Array.from(known), value: result.value }
}
