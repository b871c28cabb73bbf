// The layout of quorate.db, how older layouts become the present one, and the settings durability rests on.

import type { Database } from 'better-sqlite3'
import { StorageError } from '../storage.ts'

/** An entry's row id is `group number << 48 | index`: one key, one comparison, appended at the end of its group. */
export const INDEX_BITS = 48
export const MAX_INDEX = 2 ** INDEX_BITS - 1
export const MAX_GROUPS = 2 ** 15 - 1
/** SQL for the index in a position. */
export const INDEX_OF_POSITION = `position & ${MAX_INDEX}`

export function positionOf(group: number, index: number): bigint {
  return (BigInt(group) << BigInt(INDEX_BITS)) | BigInt(index)
}

/**
 * Step `n` turns format version `n` into `n + 1`; a new database runs them all. A rowid table with one integer key and
 * not WITHOUT ROWID: rows over 1 kB would overflow there, which halves the throughput at 4 kB per entry. The partial
 * indexes hold configuration entries, and what a witness keeps, and cost data entries next to nothing.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE host (
    host_id TEXT NOT NULL,
    format_version INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE meta (
    group_number INTEGER PRIMARY KEY,
    group_name TEXT NOT NULL,
    term INTEGER,
    voted_for TEXT,
    first_index INTEGER NOT NULL,
    term_before_first INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE log_entries (
    position INTEGER PRIMARY KEY,
    term INTEGER NOT NULL,
    type INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  CREATE INDEX configuration_entries ON log_entries (type) WHERE type = 3;
  CREATE VIEW log AS
    SELECT group_name, position & ${MAX_INDEX} AS "index", log_entries.term, type,
           printf('%08x', log_entries.checksum) AS checksum, data
    FROM log_entries JOIN meta ON group_number = position >> ${INDEX_BITS}
    WHERE position & ${MAX_INDEX} >= first_index;
  `,
  `
  CREATE TABLE identities (
    group_number INTEGER PRIMARY KEY,
    identity INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  `,
  'CREATE INDEX withheld_entries ON log_entries (type) WHERE type = 4;',
]

export const FORMAT_VERSION = STEPS.length

/**
 * Sets what durability rests on and reads it back: SQLite ignores a pragma it cannot honor (WAL on a file system
 * without shared memory, for example) without a word.
 */
export function configureDatabase(db: Database, maxDatabaseBytes: number | null): void {
  const settings: readonly (readonly [pragma: string, value: string, readBack: unknown])[] = [
    ['journal_mode', 'WAL', 'wal'],
    ['synchronous', 'FULL', 2],
    ['fullfsync', 'ON', 1], // Apple: a plain fsync leaves the data in the drive's cache
    ['checkpoint_fullfsync', 'ON', 1],
    ['wal_autocheckpoint', '0', 0], // the disk thread chooses the moment
    ['cell_size_check', 'ON', 1],
  ]
  for (const [pragma, value, expected] of settings) {
    db.pragma(`${pragma} = ${value}`)
    const actual = db.pragma(pragma, { simple: true })
    if (actual === expected) continue
    throw new StorageError(
      'IO',
      `SQLite keeps ${pragma} at ${String(actual)} for ${db.name}, where ${value} is needed to survive power loss: ` +
        'put the data directory on a local disk.',
    )
  }
  if (maxDatabaseBytes === null) return
  const pageBytes = Number(db.pragma('page_size', { simple: true }))
  db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxDatabaseBytes / pageBytes))}`)
}

/**
 * Creates or migrates the tables, and checks whose they are. Among the tables that the first of `steps` creates is the
 * host's own.
 */
export function prepareTables(db: Database, hostId: string, steps: readonly string[] = STEPS): void {
  db.exec('BEGIN IMMEDIATE')
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all()
  if (tables.length === 0) {
    migrate(db, steps, 0)
    db.prepare('INSERT INTO host VALUES (?, ?)').run(hostId, steps.length)
  } else {
    migrate(db, steps, checkHost(db, tables, hostId, steps.length))
    db.prepare('UPDATE host SET format_version = ?').run(steps.length)
  }
  db.exec('COMMIT')
}

function migrate(db: Database, steps: readonly string[], fromVersion: number): void {
  for (const step of steps.slice(fromVersion)) db.exec(step)
}

/** The format version of a database that belongs to `hostId`. */
function checkHost(db: Database, tables: readonly string[], hostId: string, known: number): number {
  if (!tables.includes('host')) {
    throw new StorageError(
      'CORRUPT',
      `${db.name} has no host table: it was not written by Quorate, or is damaged.`,
    )
  }
  const rows = db.prepare<[], { host_id: unknown; format_version: unknown }>('SELECT * FROM host').all()
  const [host] = rows
  if (host === undefined || rows.length > 1) {
    throw new StorageError('CORRUPT', `${db.name} has ${rows.length} host records where there is always one.`)
  }
  const version = Number(host.format_version)
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new StorageError(
      'CORRUPT',
      `${db.name} has the impossible format version ${String(host.format_version)}.`,
    )
  }
  if (version > known) {
    throw new StorageError(
      'VERSION',
      `${db.name} is of format version ${version} and this Quorate reads up to ${known}: start the newer Quorate that wrote it.`,
    )
  }
  if (host.host_id !== hostId) {
    throw new StorageError(
      'FOREIGN',
      `${db.name} belongs to member ${String(host.host_id)}, not ${hostId}: start as ${String(host.host_id)}, or give ${hostId} its own data directory.`,
    )
  }
  return version
}
