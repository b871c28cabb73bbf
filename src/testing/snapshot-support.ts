// What the cases about snapshots share: opening, writing, reading and copying, as promises.

import assert from 'node:assert/strict'
import type { SnapshotMeta } from '../rules/types.ts'
import {
  MAX_FILE_NAME_LENGTH,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotCopy,
  type SnapshotDone,
  type SnapshotFile,
  type SnapshotReader,
  type SnapshotRecord,
  type SnapshotSave,
  type SnapshotStore,
} from '../storage/snapshot-store.ts'
import type { Storage, StorageError } from '../storage/storage.ts'
import { type StorageCase, written } from './storage-conformance.ts'

const CHUNK = SNAPSHOT_CHUNK_BYTES

/** Resolves with the answer; rejects with the StorageError. */
export function answered<T>(ask: (done: SnapshotDone<T>) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    ask((result) => (result.ok ? resolve(result.value) : reject(result.error))),
  )
}

export function openSnapshots(storage: Storage, group = 'g'): Promise<SnapshotStore> {
  return answered((done) => storage.openSnapshots(group, done))
}

/** `bytes` bytes that differ from place to place and from seed to seed. */
export function someBytes(bytes: number, seed = 1): Uint8Array {
  const data = new Uint8Array(bytes)
  let state = seed
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    data[at] = state >>> 16
  }
  return data
}

export function metaAt(lastIncludedIndex: number): SnapshotMeta {
  return {
    ...{ lastIncludedIndex, lastIncludedTerm: 3, peers: ['n1', 'n2', 'n3'], oldPeers: ['n1', 'n4'] },
    ...{ identities: { n1: 2 ** 48 - 1, n2: 7 }, newcomers: { n3: 9 } },
    ...{ learners: ['n9'], witnesses: ['n2'], priorities: { n1: 0, n3: 200 } },
  }
}

/** Writes a whole file in pieces. */
export async function writeFile(
  save: SnapshotSave,
  name: string,
  data: Uint8Array,
  userMeta: Uint8Array | null = null,
  pieceBytes = CHUNK,
): Promise<SnapshotFile> {
  for (let at = 0; at < data.length; at += pieceBytes) {
    await written((done) => save.write(name, data.slice(at, at + pieceBytes), done))
  }
  return answered((done) => save.endFile(name, userMeta, done))
}

export type Files = Readonly<Record<string, Uint8Array>>

/** Saves and publishes a snapshot of these files. */
export async function publish(store: SnapshotStore, index: number, files: Files): Promise<SnapshotRecord> {
  const save = store.create(metaAt(index), 1000 + index)
  for (const [name, data] of Object.entries(files)) await writeFile(save, name, data)
  return answered((done) => save.publish(done))
}

/** The whole file, read in pieces. */
export async function readFile(
  reader: SnapshotReader,
  name: string,
  pieceBytes = CHUNK,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (let offset = 0; ; offset += pieceBytes) {
    const piece = await answered<Uint8Array>((done) => reader.read(name, offset, pieceBytes, done))
    pieces.push(piece)
    if (piece.length < pieceBytes) return new Uint8Array(Buffer.concat(pieces))
  }
}

/** What the newest snapshot holds. */
export async function contents(store: SnapshotStore): Promise<Files> {
  const reader = await answered<SnapshotReader>((done) => store.open(done))
  const files: Record<string, Uint8Array> = {}
  for (const { name } of reader.record.files) files[name] = await readFile(reader, name)
  reader.close()
  return files
}

/** The record of a snapshot as another member tells it: what a store elsewhere would have published. */
export async function recordOf(make: Make, index: number, files: Files): Promise<SnapshotRecord> {
  const { storage } = await make()
  return publish(await openSnapshots(storage, 'elsewhere'), index, files)
}

/** Fetches what is missing, up to `maxChunks` chunks. */
export async function fetchMissing(
  copy: SnapshotCopy,
  files: Files,
  maxChunks = Number.POSITIVE_INFINITY,
): Promise<number> {
  let chunks = 0
  for (const { name, from, to } of copy.missing) {
    for (let offset = from; offset < to && chunks < maxChunks; offset += CHUNK, chunks++) {
      const data = files[name]?.slice(offset, offset + CHUNK) ?? new Uint8Array(0)
      await written((done) => copy.write(name, offset, data, done))
    }
  }
  return chunks
}

export function startCopy(store: SnapshotStore, record: SnapshotRecord): Promise<SnapshotCopy> {
  return answered((done) => store.copy(record, done))
}

export function startReader(store: SnapshotStore): Promise<SnapshotReader> {
  return answered((done) => store.open(done))
}

export function read(
  reader: SnapshotReader,
  name: string,
  offset: number,
  maxBytes: number,
): Promise<Uint8Array> {
  return answered((done) => reader.read(name, offset, maxBytes, done))
}

export async function refusedWith(code: StorageError['code'], work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.equal((error as StorageError).code, code, String(error))
    return true
  })
}

export function sameFiles(found: Files, expected: Files): void {
  assert.deepEqual(Object.keys(found).toSorted(), Object.keys(expected).toSorted())
  for (const [name, data] of Object.entries(expected)) {
    assert.ok(Buffer.from(found[name] ?? []).equals(data), `the bytes of ${name}`)
  }
}

export type Make = Parameters<StorageCase['run']>[0]

/** Digests and user data as plain arrays, whatever kind of Uint8Array they are. */
export function plain(record: SnapshotRecord | null | undefined): unknown {
  const bytes = (data: Uint8Array | null): number[] | null => (data === null ? null : [...data])
  const files = record?.files.map((file) => ({
    ...file,
    digest: bytes(file.digest),
    userMeta: bytes(file.userMeta),
  }))
  return { ...record, files }
}

/** None of these can be the name of a file. */
export const badNames = [
  '',
  '.',
  '..',
  '../x',
  '/x',
  'a/../b',
  'a/..',
  './a',
  'a/./b',
  'a//b',
  'a/',
  '/',
  'a\\b',
  '..\\x',
  'C:/x',
  'c:x',
  'a\0b',
  'a\nb',
  '\x7f',
  '\ud800',
  'x'.repeat(MAX_FILE_NAME_LENGTH + 1),
]

/** Each of these can. */
export const goodNames = [
  'x'.repeat(MAX_FILE_NAME_LENGTH),
  'a',
  '...',
  '..a/b..',
  'a b',
  'Ä/ß/漢字',
  '\u{1F600}',
  '\uffff',
  '__proto__',
  "a'b",
  '%',
]
