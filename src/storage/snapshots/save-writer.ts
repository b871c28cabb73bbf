// A snapshot of the own state while it is written: its files and where their contents lie. Nothing of it is in the
// list of snapshots before it is published.

import type { SnapshotMeta } from '../../rules/types.ts'
import {
  MAX_SNAPSHOT_FILES,
  MAX_SNAPSHOT_TABLE_BYTES,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotFile,
  type SnapshotRecord,
} from '../snapshot-store.ts'
import { StorageError } from '../storage.ts'
import { chunkDigest, fileDigest } from './digest.ts'
import type { KeptSnapshots } from './kept-snapshots.ts'
import { isFileSize, tableBytesOf, tooLargeTable, tooManyFiles } from './record-check.ts'
import type { SnapshotTables } from './snapshot-tables.ts'

interface Begun {
  readonly content: number
  readonly digests: Uint8Array[]
  bytes: number
}

export class SaveWriter {
  readonly kept: KeptSnapshots
  readonly #meta: SnapshotMeta
  readonly #takenAtMs: number
  readonly #tables: SnapshotTables
  readonly #begun = new Map<string, Begun>()
  readonly #files = new Map<string, SnapshotFile>()
  readonly #contents = new Map<string, number>()
  #tableBytes = 0

  constructor(kept: KeptSnapshots, tables: SnapshotTables, meta: SnapshotMeta, takenAtMs: number) {
    this.kept = kept
    this.#tables = tables
    this.#meta = meta
    this.#takenAtMs = takenAtMs
  }

  append(name: string, data: Uint8Array): void {
    if (this.#files.has(name)) throw this.#invalid(`file ${name} is complete already`)
    const file = this.#begin(name)
    if (file.bytes % SNAPSHOT_CHUNK_BYTES !== 0)
      throw new TypeError(`file ${name} went on after its last chunk`)
    if (!isFileSize(file.bytes + data.length)) throw this.#invalid(`file ${name} is too large`)
    const digest = chunkDigest(data)
    this.#tables.putChunk(file.content, file.digests.length, data, digest)
    file.digests.push(digest)
    file.bytes += data.length
  }

  endFile(name: string, userMeta: Uint8Array | null): SnapshotFile {
    if (this.#files.has(name)) throw this.#invalid(`file ${name} is complete already`)
    const { content, bytes, digests } = this.#begin(name)
    if (this.#files.size >= MAX_SNAPSHOT_FILES) throw new StorageError('INVALID', tooManyFiles(this.#meta))
    this.#tableBytes += tableBytesOf(name, userMeta)
    if (this.#tableBytes > MAX_SNAPSHOT_TABLE_BYTES)
      throw new StorageError('INVALID', tooLargeTable(this.#meta))
    const file = { name, bytes, digest: fileDigest(digests), userMeta }
    this.#begun.delete(name)
    this.#files.set(name, file)
    this.#contents.set(name, content)
    return file
  }

  /** @returns the content that is not needed any more. */
  removeFile(name: string): readonly number[] {
    const complete = this.#files.get(name)
    if (complete !== undefined) this.#tableBytes -= tableBytesOf(name, complete.userMeta)
    const content = this.#contents.get(name) ?? this.#begun.get(name)?.content
    this.#files.delete(name)
    this.#contents.delete(name)
    this.#begun.delete(name)
    return content === undefined ? [] : [content]
  }

  publish(): SnapshotRecord {
    const [unfinished] = this.#begun.keys()
    if (unfinished !== undefined) throw this.#invalid(`file ${unfinished} is not complete`)
    const files = [...this.#files.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const record = { meta: this.#meta, files, bytes, takenAtMs: this.#takenAtMs }
    this.kept.publish(record, this.#contents)
    return record
  }

  /** What lies on disk of it. */
  contents(): readonly number[] {
    return [...this.#contents.values(), ...[...this.#begun.values()].map(({ content }) => content)]
  }

  #begin(name: string): Begun {
    const known = this.#begun.get(name)
    if (known !== undefined) return known
    const file = { content: this.#tables.newContent(), digests: [], bytes: 0 }
    this.#begun.set(name, file)
    return file
  }

  #invalid(what: string): StorageError {
    const index = this.#meta.lastIncludedIndex
    return new StorageError('INVALID', `Snapshot ${index} of group ${this.kept.group}: ${what}.`)
  }
}
