// The layout of snapshots.db, and the settings durability rests on.

import type { Database } from 'better-sqlite3'
import { StorageError } from '../../storage.ts'

/** A chunk's row id is `content << 24 | number`: the chunks of a file lie one behind the other. */
const CHUNK_BITS = 24
const MAX_CHUNK = 2 ** CHUNK_BITS - 1

export function chunkPosition(content: number, number: number): bigint {
  return (BigInt(content) << BigInt(CHUNK_BITS)) | BigInt(number)
}

export function lastPosition(content: number): bigint {
  return chunkPosition(content, MAX_CHUNK)
}

/** SQL for the number of a chunk in its file. */
export const NUMBER_OF_POSITION = `position & ${MAX_CHUNK}`

/**
 * Step `n` turns format version `n` into `n + 1`. Contents are apart from files, because snapshots that follow each
 * other may share them; digests are apart from chunks, so that a snapshot is checked without reading its bytes.
 */
export const SNAPSHOT_STEPS: readonly string[] = [
  `
  CREATE TABLE host (
    host_id TEXT NOT NULL,
    format_version INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE snapshots (
    snapshot_id INTEGER PRIMARY KEY,
    group_name TEXT NOT NULL,
    state TEXT NOT NULL,
    last_included_index INTEGER NOT NULL,
    last_included_term INTEGER NOT NULL,
    peers TEXT NOT NULL,
    old_peers TEXT NOT NULL,
    identities TEXT NOT NULL,
    taken_at_ms REAL NOT NULL,
    files INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE files (
    file_id INTEGER PRIMARY KEY,
    snapshot_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_id INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    digest BLOB NOT NULL,
    user_meta BLOB,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX files_of_snapshot ON files (snapshot_id);
  CREATE TABLE contents (
    content_id INTEGER PRIMARY KEY
  ) STRICT;
  CREATE TABLE chunk_digests (
    position INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL,
    digest BLOB NOT NULL
  ) STRICT;
  CREATE TABLE chunks (
    position INTEGER PRIMARY KEY,
    data BLOB NOT NULL
  ) STRICT;
  `,
]

const PAGE_BYTES = 16 * 1024
/** Pages that do not fit go to the file before the commit, and are durable with it. */
const CACHE_BYTES = 4 * 1024 * 1024

/** As for the log's database: set, and read back. The size of pages counts when the file is created only. */
export function configureSnapshotDatabase(db: Database, maxBytes: number | null): void {
  db.pragma(`page_size = ${PAGE_BYTES}`)
  db.pragma('auto_vacuum = INCREMENTAL')
  db.pragma(`cache_size = -${CACHE_BYTES / 1024}`)
  if (maxBytes !== null) db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))}`)
  const settings: readonly (readonly [pragma: string, value: string, readBack: unknown])[] = [
    ['locking_mode', 'EXCLUSIVE', 'exclusive'],
    ['journal_mode', 'TRUNCATE', 'truncate'],
    ['synchronous', 'FULL', 2],
    ['fullfsync', 'ON', 1],
    ['cell_size_check', 'ON', 1],
  ]
  for (const [pragma, value, expected] of settings) {
    db.pragma(`${pragma} = ${value}`)
    const actual = db.pragma(pragma, { simple: true })
    if (actual === expected) continue
    throw new StorageError(
      'IO',
      `SQLite keeps ${pragma} at ${String(actual)} for ${db.name}, where ${value} is needed.`,
    )
  }
}
