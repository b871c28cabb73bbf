// What the engine of the snapshots needs of a place to keep them in: rows that change together. Everything is
// synchronous and may throw a StorageError; whoever works on a disk does so in a thread of its own.

import type { SnapshotRecord } from '../snapshot-store.ts'

/** `dropped`: replaced by a newer one; goes as soon as nobody reads it. */
export type SnapshotState = 'copying' | 'published' | 'dropped'

/** A snapshot with the place of each file's content. Several snapshots of a group may share one. */
export interface StoredSnapshot {
  readonly id: number
  readonly state: SnapshotState
  readonly record: SnapshotRecord
  /** By name. */
  readonly contents: ReadonlyMap<string, number>
}

export interface StoredChunk {
  readonly number: number
  readonly bytes: number
  /** SHA-256. */
  readonly digest: Uint8Array
}

export interface SnapshotTables {
  /** Those of a group. @throws StorageError CORRUPT, naming group and snapshot. */
  load(group: string): readonly StoredSnapshot[]
  /** @returns its id: larger than that of any snapshot that is there. */
  insert(group: string, snapshot: Omit<StoredSnapshot, 'id'>): number
  setState(id: number, state: SnapshotState): void
  /** Removes the snapshot and its list of files, not their contents. */
  remove(id: number): void
  /** A place for the chunks of one file. */
  newContent(): number
  /** Those that no snapshot refers to: what saves left behind when the process ended. */
  unusedContents(): readonly number[]
  /** In order. */
  chunks(content: number): Iterable<StoredChunk>
  putChunk(content: number, number: number, data: Uint8Array, digest: Uint8Array): void
  /** The bytes are the caller's; null: not there, or damaged. */
  readChunk(content: number, number: number): Uint8Array | null
  /** Removes up to `maxChunks` of a content, and with the last one the content. @returns whether it is gone. */
  removeChunks(content: number, maxChunks: number): boolean
  /** Gives some of the space that is not used back to where it came from. @returns whether there is more to give. */
  giveBack(): boolean
  /** Everything since the last commit becomes durable, as one step. */
  commit(): void
  /** Undoes everything since the last commit. */
  rollBack(): void
}
