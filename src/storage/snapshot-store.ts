// The contract between the snapshot executor and the disk. Snapshots lie in a place of their own, beside the logs: large,
// written in the background, and visible only when they are whole. Every call is asynchronous and ends in one callback,
// once, unless it is said otherwise; calls of one writer, copy or reader are carried out in the order in which they
// were asked for. Nothing here throws: whatever goes wrong reaches `done`.

import type { SnapshotMeta } from '../rules/types.ts'
import type { StorageDone, StorageError } from './storage-error.ts'

/**
 * Files are stored, checked and resumed by chunks of this size; the last one of a file is shorter. A file of no bytes
 * has no chunk.
 */
export const SNAPSHOT_CHUNK_BYTES = 256 * 1024

/** Most characters of a file's name. */
export const MAX_FILE_NAME_LENGTH = 255
/** Most files in one snapshot. */
export const MAX_SNAPSHOT_FILES = 65_536
/** Most bytes that a user may say about one file. */
export const MAX_FILE_USER_META_BYTES = 64 * 1024
/** Most bytes of all names of a snapshot and what a user says about its files, with 64 for each file. */
export const MAX_SNAPSHOT_TABLE_BYTES = 32 * 1024 * 1024
/** Most bytes of one write or read. */
export const MAX_SNAPSHOT_CALL_BYTES = 4 * 1024 * 1024
/**
 * Most bytes that may have been written, or asked for in reads, without their `done` having come, in all snapshots of
 * a storage: what is beyond is refused (INVALID). Four to sixteen chunks for each writer and reader keep the disk busy.
 */
export const MAX_SNAPSHOT_BYTES_UNDER_WAY = 64 * 1024 * 1024
/** Most files of one save that are begun and not complete: each holds up to a chunk in memory. */
export const MAX_FILES_UNDER_WAY = 256

/** One file of a snapshot. */
export interface SnapshotFile {
  readonly name: string
  readonly bytes: number
  /** SHA-256 over the SHA-256 of each chunk: equal digests and sizes mean equal files. 32 bytes. */
  readonly digest: Uint8Array
  /** What the user said about the file, as an encoded value; null: nothing. */
  readonly userMeta: Uint8Array | null
}

/** A snapshot as others see it. */
export interface SnapshotRecord {
  readonly meta: SnapshotMeta
  /** Sorted by name. */
  readonly files: readonly SnapshotFile[]
  /** Of all files together. */
  readonly bytes: number
  /** When it was taken, in milliseconds since 1970 by the clock of whoever took it. For people. */
  readonly takenAtMs: number
}

export type SnapshotResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: StorageError }

export type SnapshotDone<T> = (result: SnapshotResult<T>) => void

/** A part of a file that is not there yet. Offsets and lengths in bytes; it begins where a chunk begins. */
export interface MissingRange {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** The snapshots of one group. */
export interface SnapshotStore {
  /** The newest published one; null: none. Damage is found when the store is opened, never reported as "none". */
  readonly newest: SnapshotRecord | null
  /** Begins a snapshot of the own state. An unfinished one of the own state is thrown away. */
  create(meta: SnapshotMeta, takenAtMs: number): SnapshotSave
  /**
   * Begins, or goes on with, a copy of another member's snapshot. What is there with the same size and digest (in an
   * unfinished copy under the same name, whose chunks count one by one, or in the newest snapshot) is not missing, unless
   * it was found damaged since the store was opened; whatever else lies in an unfinished copy goes. One copy at a time:
   * a new one ends the one before it. INVALID: there can be no such snapshot.
   */
  copy(record: SnapshotRecord, done: SnapshotDone<SnapshotCopy>): void
  /**
   * Opens the newest snapshot (INVALID: there is none). It can be read to its end although newer ones are published and
   * this one is dropped.
   */
  open(done: SnapshotDone<SnapshotReader>): void
  /** Lets go of the group. What was asked for before still ends; readers and writers end with CLOSED. */
  close(done: StorageDone): void
}

/**
 * A snapshot under construction. Until `publish` is done nobody sees it, and after a crash it is as if it never was. A
 * write that failed (FULL, say) has failed the whole save: what comes after it, but `discard`, ends with the same error.
 */
export interface SnapshotSave {
  /**
   * Appends to a file, which begins with its first write. `bytes` become the store's: they may be handed to a thread.
   * `done` says that they were taken, not that they are durable: that is `publish`.
   */
  write(name: string, bytes: Uint8Array, done: StorageDone): void
  /** The file is complete (one that was never written is empty). A name that is complete already: INVALID. */
  endFile(name: string, userMeta: Uint8Array | null, done: SnapshotDone<SnapshotFile>): void
  /** Takes a file out again, complete or not. */
  removeFile(name: string, done: StorageDone): void
  /**
   * Makes it the newest snapshot, durably and in one step; files that are not complete are refused (INVALID). The one
   * before it goes when nobody reads it any more.
   */
  publish(done: SnapshotDone<SnapshotRecord>): void
  /** Throws it away. */
  discard(done: StorageDone): void
}

/** A copy of another member's snapshot. It outlives crashes and is gone on with, file by file and chunk by chunk. */
export interface SnapshotCopy {
  readonly record: SnapshotRecord
  /** What has to be fetched, in order of names and offsets. */
  readonly missing: readonly MissingRange[]
  /** Bytes that need not be fetched. */
  readonly presentBytes: number
  /**
   * One whole chunk, at an offset that is a multiple of SNAPSHOT_CHUNK_BYTES, in any order. `bytes` become the store's.
   * `done` says that they were taken: they are durable soon after, 16 MiB at a time, and at the latest with `publish` or
   * `pause`. A chunk that is there already is not written again. One that failed ends this copy, as a save.
   */
  write(name: string, offset: number, bytes: Uint8Array, done: StorageDone): void
  /**
   * As for a save. INVALID: something is missing, and may still be written. CORRUPT: a digest does not fit; the files in
   * question are forgotten and this copy ends, so that the next `copy` fetches them anew.
   */
  publish(done: SnapshotDone<SnapshotRecord>): void
  /** Stops here; what is there stays for the next `copy`. */
  pause(done: StorageDone): void
}

/** A snapshot that is being read. */
export interface SnapshotReader {
  readonly record: SnapshotRecord
  /**
   * Bytes of a file from an offset on: as many as asked for, fewer only at its end, none at or after it. INVALID: there
   * is no such file, or the numbers make no sense. CORRUPT: a checksum does not fit; what is damaged is not taken for
   * present by a later `copy`. The bytes are the caller's.
   */
  read(name: string, offset: number, maxBytes: number, done: SnapshotDone<Uint8Array>): void
  /** Lets go of it. Repeating it is harmless. */
  close(): void
}
