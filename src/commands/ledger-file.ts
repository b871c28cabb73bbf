// What a group remembers of its commands, as a file of its snapshots: the time of the log, and the sessions. One record
// after the other, each with its length before it, so that neither writing nor reading needs all of it at once.

import { z } from 'zod'
import { QuorateError } from '../errors.ts'
import { decodeValue, encodeValue } from '../transport/wire/codec.ts'
import { MAX_RESULTS, type SessionRecord } from './session-table.ts'

export const LEDGER_FILE = '.quorate/commands'
const VERSION = 1
const MAX_RECORD_BYTES = 8 * 1024 * 1024
const LENGTH_BYTES = 4

export interface Ledger {
  readonly timeMs: number
  readonly sessions: readonly SessionRecord[]
}

const count = z.int().min(0)
const headSchema = z.tuple([z.literal(VERSION), z.number().min(0)])
const bytes = z.instanceof(Uint8Array)
const results = z.array(z.tuple([count, bytes])).max(MAX_RESULTS + 1)
const recordSchema = z.tuple([count, count, z.number(), count, results])

export function* writeLedger({ timeMs, sessions }: Ledger): Generator<Uint8Array> {
  yield* framed(encodeValue([VERSION, timeMs]))
  for (const { id, idleMs, lastUsedMs, acknowledged, results } of sessions)
    yield* framed(encodeValue([id, idleMs, lastUsedMs, acknowledged, results]))
}

/** @throws QuorateError STORAGE for bytes that are none */
export async function readLedger(content: AsyncIterable<Uint8Array>): Promise<Ledger> {
  let timeMs: number | null = null
  const sessions: SessionRecord[] = []
  for await (const record of records(content)) {
    if (timeMs === null) timeMs = parse(headSchema, record)[1]
    else {
      const [id, idleMs, lastUsedMs, acknowledged, results] = parse(recordSchema, record)
      sessions.push({ id, idleMs, lastUsedMs, acknowledged, results })
    }
  }
  if (timeMs === null) throw unreadable('it is empty')
  return { timeMs, sessions }
}

function* framed(record: Uint8Array): Generator<Uint8Array> {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, record.length)
  yield length
  yield record
}

async function* records(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array()
  for await (const piece of content) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    for (;;) {
      if (rest.length < LENGTH_BYTES) break
      const length = new DataView(rest.buffer, rest.byteOffset, rest.length).getUint32(0)
      if (length > MAX_RECORD_BYTES) throw unreadable('a record is too long')
      if (rest.length < LENGTH_BYTES + length) break
      yield rest.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
      rest = rest.subarray(LENGTH_BYTES + length)
    }
  }
  if (rest.length > 0) throw unreadable('it ends within a record')
}

function parse<T>(schema: z.ZodType<T>, record: Uint8Array): T {
  const decoded = decodeValue(record)
  if (!decoded.ok) throw unreadable(decoded.reason)
  const parsed = schema.safeParse(decoded.value)
  if (parsed.success) return parsed.data
  throw unreadable(parsed.error.issues[0]?.message ?? 'a record has another form')
}

function unreadable(why: string): QuorateError {
  return new QuorateError('STORAGE', `Snapshot: ${LEDGER_FILE} cannot be read: ${why}.`)
}
