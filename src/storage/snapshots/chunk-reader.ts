// Reads a part of a file out of its chunks.

import { SNAPSHOT_CHUNK_BYTES, type SnapshotFile } from '../snapshot-store.ts'
import { StorageError } from '../storage.ts'
import type { KeptSnapshots } from './kept-snapshots.ts'
import type { SnapshotTables } from './snapshot-tables.ts'

/** A file of a snapshot, and the place of its content. */
export interface ReadableFile {
  readonly file: SnapshotFile
  readonly content: number
}

/** @throws StorageError CORRUPT when a chunk is damaged, which is remembered; `snapshot` says where, for people. */
export function readRange(
  tables: SnapshotTables,
  kept: KeptSnapshots,
  snapshot: string,
  { file, content }: ReadableFile,
  offset: number,
  maxBytes: number,
): Uint8Array {
  const chunk = (number: number): Uint8Array => {
    const data = tables.readChunk(content, number)
    const bytes = Math.min(SNAPSHOT_CHUNK_BYTES, file.bytes - number * SNAPSHOT_CHUNK_BYTES)
    if (data?.length === bytes) return data
    kept.damaged.add(content)
    throw new StorageError(
      'CORRUPT',
      `${snapshot} is damaged: chunk ${number} of file ${file.name} is missing or fails its checksum.`,
    )
  }
  return assemble(chunk, offset, Math.min(file.bytes, offset + maxBytes))
}

function assemble(chunk: (number: number) => Uint8Array, from: number, to: number): Uint8Array {
  if (from >= to) return new Uint8Array(0)
  const first = Math.floor(from / SNAPSHOT_CHUNK_BYTES)
  const last = Math.floor((to - 1) / SNAPSHOT_CHUNK_BYTES)
  const firstByte = first * SNAPSHOT_CHUNK_BYTES
  if (first === last) {
    const data = chunk(first)
    const isWhole = from === firstByte && to - from === data.length
    return isWhole ? data : data.slice(from - firstByte, to - firstByte)
  }
  const bytes = new Uint8Array(to - from)
  for (let number = first; number <= last; number++) {
    const start = number * SNAPSHOT_CHUNK_BYTES
    const data = chunk(number)
    const part = data.subarray(Math.max(0, from - start), to - start)
    bytes.set(part, Math.max(0, start - from))
  }
  return bytes
}
