// What operators and members say to each other about snapshots.
//
//   admin.snapshot        any payload      → JSON: {"ok":true,"snapshot":{…}} once it is durable, or {"ok":false,"error":{…}}
//   admin.snapshot-read   CBOR [1, client, index, term, name, offset, count]
//                                          → [1, [index, term, peers, oldPeers, takenAtMs, bytes, files], data]
//                                            [1, code, message, retryable]
//
// `snapshot-read` with index 0 means the newest snapshot; with the name "" its list of files is read, in pages as members
// copy it from each other (`offset` counts files then).

import { z } from 'zod'
import { isQuorateErrorCode, type QuorateErrorCode } from '../errors.ts'
import { nameSchema } from '../options.ts'
import type { SnapshotMeta } from '../rules/types.ts'
import type { Parsed } from './client-protocol.ts'

export const SNAPSHOT_PROTOCOL_VERSION = 1
/** Around the bytes of an answer: names of members, and numbers. */
export const READ_OVERHEAD_BYTES = 64 * 1024
export const MAX_READ_BYTES = 256 * 1024
export const SNAPSHOT_MESSAGE_LIMITS = { maxDepth: 4, maxItems: 4096 } as const

const count = z.int().min(0)
const names = z.array(nameSchema).max(1024)

/** A snapshot without its list of files, which may be long. */
export interface SnapshotSummary extends SnapshotMeta {
  readonly takenAtMs: number
  readonly bytes: number
  readonly files: number
}

export const snapshotSummarySchema = z.object({
  ...{ lastIncludedIndex: count, lastIncludedTerm: count, peers: names, oldPeers: names },
  ...{ takenAtMs: z.number(), bytes: count, files: count },
})

const errorSchema = z.object({
  code: z.custom<QuorateErrorCode>(isQuorateErrorCode),
  message: z.string().max(4096),
  retryable: z.boolean(),
})

/** What went wrong, as it travels. */
export type SnapshotRefusal = z.output<typeof errorSchema>

export type TakeAnswer =
  | { readonly ok: true; readonly snapshot: SnapshotSummary }
  | { readonly ok: false; readonly error: SnapshotRefusal }

const takeSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), snapshot: snapshotSummarySchema }),
  z.object({ ok: z.literal(false), error: errorSchema }),
])

/** Undefined: it is none. */
export function parseTakeAnswer(value: unknown): TakeAnswer | undefined {
  return takeSchema.safeParse(value).data
}

/** Bytes of one file of one snapshot, or a page of its list of files. */
export interface SnapshotRead {
  /** 0: the newest. */
  readonly index: number
  readonly term: number
  /** Empty: the list of files. */
  readonly name: string
  readonly offset: number
  readonly count: number
}

const readSchema = z.tuple([
  z.literal(SNAPSHOT_PROTOCOL_VERSION),
  z.string().max(64),
  count,
  count,
  z.string().max(1024),
  count,
  z.int().min(1),
])

export function readTuple(
  client: string,
  { index, term, name, offset, count: bytes }: SnapshotRead,
): unknown[] {
  return [SNAPSHOT_PROTOCOL_VERSION, client, index, term, name, offset, bytes]
}

export function parseSnapshotRead(message: unknown): Parsed<SnapshotRead> {
  const parsed = readSchema.safeParse(message)
  if (!parsed.success) return { ok: false, problem: 'it is no request for bytes of a snapshot' }
  const [, , index, term, name, offset, bytes] = parsed.data
  return { ok: true, value: { index, term, name, offset, count: bytes } }
}

export type ReadAnswer =
  | { readonly ok: true; readonly snapshot: SnapshotSummary; readonly data: Uint8Array }
  | { readonly ok: false; readonly error: SnapshotRefusal }

export function readAnswerTuple(answer: ReadAnswer): unknown[] {
  if (!answer.ok) {
    const { code, message, retryable } = answer.error
    return [SNAPSHOT_PROTOCOL_VERSION, code, message, retryable]
  }
  const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers, takenAtMs, bytes, files } = answer.snapshot
  const about = [lastIncludedIndex, lastIncludedTerm, peers, oldPeers, takenAtMs, bytes, files]
  return [SNAPSHOT_PROTOCOL_VERSION, about, answer.data]
}

const readAnswerSchema = z.union([
  z.tuple([
    z.literal(SNAPSHOT_PROTOCOL_VERSION),
    z.tuple([count, count, names, names, z.number(), count, count]),
    z.instanceof(Uint8Array),
  ]),
  z.tuple([
    z.literal(SNAPSHOT_PROTOCOL_VERSION),
    errorSchema.shape.code,
    errorSchema.shape.message,
    z.boolean(),
  ]),
])

/** Undefined: it is none. The bytes are a view on the message. */
export function parseReadAnswer(value: unknown): ReadAnswer | undefined {
  const parsed = readAnswerSchema.safeParse(value)
  if (!parsed.success) return undefined
  if (parsed.data.length === 4) {
    const [, code, message, retryable] = parsed.data
    return { ok: false, error: { code, message, retryable } }
  }
  const [, about, data] = parsed.data
  const [lastIncludedIndex, lastIncludedTerm, peers, oldPeers, takenAtMs, bytes, files] = about
  const meta = { lastIncludedIndex, lastIncludedTerm, peers, oldPeers }
  return { ok: true, snapshot: { ...meta, takenAtMs, bytes, files }, data }
}
