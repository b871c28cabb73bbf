// A snapshot that is being read: its files by name.

import { StorageError } from '../storage.ts'
import { type ReadableFile, readRange } from './chunk-reader.ts'
import type { Kept, KeptSnapshots } from './kept-snapshots.ts'
import type { SnapshotTables } from './snapshot-tables.ts'

export class SnapshotReading {
  readonly kept: KeptSnapshots
  readonly #what: Kept
  readonly #tables: SnapshotTables
  readonly #files = new Map<string, ReadableFile>()

  constructor(kept: KeptSnapshots, what: Kept, tables: SnapshotTables) {
    this.kept = kept
    this.#what = what
    this.#tables = tables
    what.readers++
    const { record, contents } = what.snapshot
    for (const file of record.files)
      this.#files.set(file.name, { file, content: contents.get(file.name) ?? 0 })
  }

  /** @throws StorageError INVALID when there is no such file, CORRUPT when it is damaged. */
  read(name: string, offset: number, maxBytes: number): Uint8Array {
    const { lastIncludedIndex } = this.#what.snapshot.record.meta
    const snapshot = `Snapshot ${lastIncludedIndex} of group ${this.kept.group}`
    const file = this.#files.get(name)
    if (file === undefined) throw new StorageError('INVALID', `${snapshot} has no file ${name}.`)
    return readRange(this.#tables, this.kept, snapshot, file, offset, maxBytes)
  }

  end(): void {
    this.kept.release(this.#what)
  }
}
