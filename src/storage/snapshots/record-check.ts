// Looks at what others say about a snapshot before anything is done with it: another member, or a disk that may be
// damaged.

import type { SnapshotMeta } from '../../rules/types.ts'
import {
  MAX_FILE_USER_META_BYTES,
  MAX_SNAPSHOT_FILES,
  MAX_SNAPSHOT_TABLE_BYTES,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotFile,
  type SnapshotRecord,
} from '../snapshot-store.ts'
import { DIGEST_BYTES } from './digest.ts'
import { refuseFileName } from './file-name.ts'

/** Chunks of one file are numbered in 24 bits. */
const MAX_FILE_BYTES = 2 ** 24 * SNAPSHOT_CHUNK_BYTES
/** What a file takes in a table of files beside its name and what the user says about it, roughly. */
const ROW_BYTES = 64

/** The reason why there can be no such snapshot; null: there can. */
export function refuseRecord({ meta, files, bytes, takenAtMs }: SnapshotRecord): string | null {
  const inMeta = refuseMeta(meta, takenAtMs)
  if (inMeta !== null) return inMeta
  if (files.length > MAX_SNAPSHOT_FILES) return tooManyFiles(meta)
  if (meta.withheld === true && files.length > 0) return `${named(meta)} is without its files, and lists some`
  let sum = 0
  let tableBytes = 0
  let before: string | null = null
  for (const file of files) {
    const inFile = refuseFile(file)
    if (inFile !== null) return inFile
    if (before !== null && file.name <= before)
      return `${named(meta)} lists its files out of order, or one twice`
    before = file.name
    sum += file.bytes
    tableBytes += tableBytesOf(file.name, file.userMeta)
  }
  if (tableBytes > MAX_SNAPSHOT_TABLE_BYTES) return tooLargeTable(meta)
  return sum === bytes ? null : `${named(meta)} says ${bytes} bytes where its files have ${sum}`
}

/** The reason why a snapshot cannot stand for this; null: it can. */
export function refuseMeta(meta: SnapshotMeta, takenAtMs: number): string | null {
  const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = meta
  if (!isCount(lastIncludedIndex) || lastIncludedIndex === 0)
    return `no snapshot can stand for the log up to ${lastIncludedIndex}`
  if (!isCount(lastIncludedTerm)) return `there is no term ${lastIncludedTerm}`
  const names = [...peers, ...oldPeers]
  if (!names.every((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name)))
    return `${named(meta)} names a member that cannot be called so`
  return Number.isFinite(takenAtMs) ? null : `${named(meta)} was taken at no time`
}

/** The reason why a user cannot say this about a file; null: it can be said. */
export function refuseUserMeta(name: string, userMeta: Uint8Array | null): string | null {
  if (userMeta === null || userMeta.length <= MAX_FILE_USER_META_BYTES) return null
  return `what is said about ${name} has ${userMeta.length} bytes; ${MAX_FILE_USER_META_BYTES} are allowed`
}

export function tableBytesOf(name: string, userMeta: Uint8Array | null): number {
  return ROW_BYTES + name.length + (userMeta?.length ?? 0)
}

export function tooManyFiles(meta: SnapshotMeta): string {
  return `${named(meta)} has more than ${MAX_SNAPSHOT_FILES} files: put several into one`
}

export function tooLargeTable(meta: SnapshotMeta): string {
  return `Names and user data of the files of ${named(meta)} have more than ${MAX_SNAPSHOT_TABLE_BYTES} bytes: say less about each, or put several into one`
}

/** True for a size that a file can have. */
export function isFileSize(bytes: number): boolean {
  return isCount(bytes) && bytes <= MAX_FILE_BYTES
}

function refuseFile({ name, bytes, digest, userMeta }: SnapshotFile): string | null {
  const inName = refuseFileName(name)
  if (inName !== null) return inName
  if (!isFileSize(bytes)) return `file ${name} cannot have ${bytes} bytes`
  if (digest.length !== DIGEST_BYTES) return `the digest of ${name} has ${digest.length} bytes`
  return refuseUserMeta(name, userMeta)
}

function named({ lastIncludedIndex }: SnapshotMeta): string {
  return `snapshot ${lastIncludedIndex}`
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
