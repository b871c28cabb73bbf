// The key-value store as a file of a snapshot. While no key goes by itself it is the first form, which every version reads:
// keys and values, one after the other. Else it has another name, so that whoever knows only the first one refuses it.

import type { SnapshotReader, SnapshotWriter } from '../state-machine.ts'
import { isTtl, type KvLease } from './kv-commands.ts'
import { packTexts, unpackTexts } from './kv-texts.ts'

const PLAIN_FILE = 'pairs'
const LEASED_FILE = 'pairs-2'

export interface SavedPair {
  readonly key: string
  readonly value: string
  readonly lease: KvLease | null
}

export interface Saved {
  readonly pairs: readonly SavedPair[]
  /** The time of the log, if a key is leased: what is due by then is gone, though it may still be there. */
  readonly timeMs: number | null
}

/** Texts are written while commands go on: the pairs must not change. */
export function save({ pairs, timeMs }: Saved, writer: SnapshotWriter): Promise<void> {
  return timeMs === null
    ? writer.addFile(PLAIN_FILE, packTexts(plainTexts(pairs)))
    : writer.addFile(LEASED_FILE, packTexts(leasedTexts(pairs, timeMs)))
}

/** @throws Error when the file is none of these; what was heard until then is of no use. @returns the time */
export async function load(
  reader: SnapshotReader,
  heard: (key: string, value: string, lease: KvLease | null) => void,
): Promise<number> {
  const isLeased = reader.files().some(({ name }) => name === LEASED_FILE)
  const texts = unpackTexts(reader.open(isLeased ? LEASED_FILE : PLAIN_FILE))
  const timeMs = isLeased ? numberOf(await next(texts)) : 0
  for (;;) {
    const key = await next(texts)
    if (key === null) return timeMs
    const value = await next(texts)
    if (value === null) throw new Error('the last key has no value')
    heard(key, value, isLeased ? leaseOf(await next(texts)) : null)
  }
}

function* plainTexts(pairs: readonly SavedPair[]): Generator<string, void> {
  for (const { key, value } of pairs) {
    yield key
    yield value
  }
}

function* leasedTexts(pairs: readonly SavedPair[], timeMs: number): Generator<string, void> {
  yield String(timeMs)
  for (const { key, value, lease } of pairs) {
    yield key
    yield value
    yield lease === null ? '' : `${lease.ttlMs} ${lease.dueAtMs}`
  }
}

async function next(texts: AsyncGenerator<string, void>): Promise<string | null> {
  const { value } = await texts.next()
  return value ?? null
}

function leaseOf(text: string | null): KvLease | null {
  if (text === '') return null
  const [ttl = '', due = ''] = text?.split(' ') ?? []
  const ttlMs = Number(ttl)
  if (!isTtl(ttlMs)) throw new Error('a key has a time to live that is none')
  return { ttlMs, dueAtMs: numberOf(due) }
}

function numberOf(text: string | null): number {
  const value = Number(text ?? '')
  if (text === null || text === '' || !Number.isFinite(value)) throw new Error('a time in it is none')
  return value
}
