// The tables of snapshots on SQLite. A transaction begins with the first change and ends when the engine says so.

import { crc32 } from 'node:zlib'
import type { Database, Statement } from 'better-sqlite3'
import type { SnapshotFile, SnapshotRecord } from '../../snapshot-store.ts'
import { chunkDigest, sameBytes } from '../../snapshots/digest.ts'
import { refuseRecord } from '../../snapshots/record-check.ts'
import type {
  SnapshotState,
  SnapshotTables,
  StoredChunk,
  StoredSnapshot,
} from '../../snapshots/snapshot-tables.ts'
import { StorageError } from '../../storage.ts'
import { recordChecksum } from '../checksum.ts'
import { toStorageError } from '../failure.ts'
import { PathWatch } from '../path-watch.ts'
import { columnOf, configurationTail } from './configuration-column.ts'
import { chunkPosition, lastPosition, NUMBER_OF_POSITION } from './snapshot-schema.ts'

interface SnapshotRow {
  readonly snapshot_id: number
  readonly group_name: string
  readonly state: string
  readonly last_included_index: number
  readonly last_included_term: number
  readonly peers: string
  readonly old_peers: string
  readonly identities: string
  readonly taken_at_ms: number
  readonly files: number
  readonly checksum: number
}

interface FileRow {
  readonly name: string
  readonly content_id: number
  readonly bytes: number
  readonly digest: Buffer
  readonly user_meta: Buffer | null
  readonly checksum: number
}

interface ChunkRow {
  readonly digest: Buffer
  readonly data: Buffer
}

/** As much space as is used is kept for the next snapshot, and these pages. */
const FREE_PAGES_KEPT = 1024
/** Given back at once. */
const GIVEN_BACK_PAGES = 64

export class SqliteTables implements SnapshotTables {
  readonly #db: Database
  readonly #snapshots: Statement<[string], SnapshotRow>
  readonly #files: Statement<[number], FileRow>
  readonly #insertSnapshot: Statement<
    [string, string, number, number, string, string, string, number, number, number]
  >
  readonly #insertFile: Statement<[number, string, number, number, Uint8Array, Uint8Array | null, number]>
  readonly #setState: Statement<[string, number]>
  readonly #chunks: Statement<[bigint, bigint], StoredChunk>
  readonly #insertDigest: Statement<[bigint, number, Uint8Array]>
  readonly #insertChunk: Statement<[bigint, Uint8Array]>
  readonly #chunk: Statement<[bigint], ChunkRow>
  readonly #watch: PathWatch
  #nextContent: number
  /** After it nothing is written any more: a sync that failed is never tried again. */
  #failure: StorageError | null = null
  #bytesPut = 0

  constructor(db: Database) {
    this.#db = db
    this.#watch = new PathWatch(db.name)
    this.#snapshots = db.prepare('SELECT * FROM snapshots WHERE group_name = ? ORDER BY snapshot_id')
    this.#files = db.prepare('SELECT * FROM files WHERE snapshot_id = ?')
    this.#insertSnapshot = db.prepare('INSERT INTO snapshots VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#insertFile = db.prepare('INSERT INTO files VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)')
    this.#setState = db.prepare('UPDATE snapshots SET state = ? WHERE snapshot_id = ?')
    this.#chunks = db.prepare(
      `SELECT ${NUMBER_OF_POSITION} AS number, bytes, digest FROM chunk_digests WHERE position BETWEEN ? AND ? ORDER BY position`,
    )
    this.#insertDigest = db.prepare('INSERT OR REPLACE INTO chunk_digests VALUES (?, ?, ?)')
    this.#insertChunk = db.prepare('INSERT OR REPLACE INTO chunks VALUES (?, ?)')
    this.#chunk = db.prepare(
      'SELECT digest, data FROM chunks JOIN chunk_digests USING (position) WHERE position = ?',
    )
    const last = db.prepare<[], number | null>('SELECT max(content_id) FROM contents').pluck().get() ?? 0
    this.#nextContent = last + 1
  }

  /** Of all chunks written so far. */
  get bytesPut(): number {
    return this.#bytesPut
  }

  /** The disk has failed elsewhere: nothing is written any more. */
  fail(error: StorageError): void {
    this.#failure ??= error
  }

  load(group: string): readonly StoredSnapshot[] {
    return this.#doing(`opening the snapshots of group ${group}`, () =>
      this.#snapshots.all(group).map((row) => this.#stored(row)),
    )
  }

  insert(group: string, { state, record, contents }: Omit<StoredSnapshot, 'id'>): number {
    return this.#changing('writing a snapshot', () => {
      const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = record.meta
      const files = columnOf(record.meta)
      const lists = [JSON.stringify(peers), JSON.stringify(oldPeers), files] as const
      const numbers = [record.takenAtMs, record.files.length] as const
      const values = [group, lastIncludedIndex, lastIncludedTerm, ...lists, ...numbers] as const
      const { lastInsertRowid } = this.#insertSnapshot.run(
        group,
        state,
        lastIncludedIndex,
        lastIncludedTerm,
        ...lists,
        ...numbers,
        recordChecksum(values),
      )
      const id = Number(lastInsertRowid)
      for (const file of record.files) {
        const content = contents.get(file.name) ?? 0
        const { name, bytes, digest, userMeta } = file
        this.#insertFile.run(id, name, content, bytes, digest, userMeta, fileChecksum(id, content, file))
      }
      return id
    })
  }

  setState(id: number, state: SnapshotState): void {
    this.#changing('writing a snapshot', () => this.#setState.run(state, id))
  }

  remove(id: number): void {
    this.#changing('removing a snapshot', () => {
      this.#db.prepare('DELETE FROM files WHERE snapshot_id = ?').run(id)
      this.#db.prepare('DELETE FROM snapshots WHERE snapshot_id = ?').run(id)
    })
  }

  newContent(): number {
    const content = this.#nextContent++
    this.#changing('writing a snapshot', () =>
      this.#db.prepare('INSERT INTO contents VALUES (?)').run(content),
    )
    return content
  }

  unusedContents(): readonly number[] {
    const sql = 'SELECT content_id FROM contents EXCEPT SELECT content_id FROM files'
    return this.#doing('looking through snapshots', () => this.#db.prepare<[], number>(sql).pluck().all())
  }

  chunks(content: number): Iterable<StoredChunk> {
    return this.#doing('looking through a snapshot', () =>
      this.#chunks.all(chunkPosition(content, 0), lastPosition(content)),
    )
  }

  putChunk(content: number, number: number, data: Uint8Array, digest: Uint8Array): void {
    this.#changing('writing a snapshot', () => {
      const position = chunkPosition(content, number)
      this.#insertDigest.run(position, data.length, digest)
      this.#insertChunk.run(position, data)
      this.#bytesPut += data.length
    })
  }

  readChunk(content: number, number: number): Uint8Array | null {
    const position = chunkPosition(content, number)
    const row = this.#doing('reading a snapshot', () => this.#chunk.get(position))
    return row !== undefined && sameBytes(chunkDigest(row.data), row.digest) ? row.data : null
  }

  removeChunks(content: number, maxChunks: number): boolean {
    return this.#changing('removing a snapshot', () => {
      const range = [chunkPosition(content, 0), lastPosition(content)] as const
      const among = 'position BETWEEN ? AND ? ORDER BY position LIMIT ?'
      let removed = 0
      for (const table of ['chunks', 'chunk_digests']) {
        const sql = `DELETE FROM ${table} WHERE position IN (SELECT position FROM ${table} WHERE ${among})`
        removed = Math.max(removed, this.#db.prepare(sql).run(...range, maxChunks).changes)
      }
      if (removed >= maxChunks) return false
      this.#db.prepare('DELETE FROM contents WHERE content_id = ?').run(content)
      return true
    })
  }

  giveBack(): boolean {
    const pages = (what: string): number => Number(this.#db.pragma(what, { simple: true }))
    const free = pages('freelist_count')
    const kept = pages('page_count') - free + FREE_PAGES_KEPT
    if (free <= kept) return false
    this.#changing('giving space back', () =>
      this.#db.pragma(`incremental_vacuum(${Math.min(free - kept, GIVEN_BACK_PAGES)})`),
    )
    return free - kept > GIVEN_BACK_PAGES
  }

  commit(): void {
    this.#doing('writing a snapshot', () => {
      if (!this.#db.inTransaction) return
      this.#db.exec('COMMIT')
      this.#watch.check()
    })
  }

  rollBack(): void {
    this.#doing('undoing what was written of a snapshot', () => {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
    })
  }

  #stored(row: SnapshotRow): StoredSnapshot {
    const { snapshot_id: id, group_name: group, last_included_index: index, state } = row
    const damaged = (what: string): StorageError =>
      new StorageError('CORRUPT', `Snapshot ${index} of group ${group} is damaged: ${what}.`)
    const { last_included_term, peers, old_peers, taken_at_ms } = row
    const values = [
      group,
      index,
      last_included_term,
      peers,
      old_peers,
      row.identities,
      taken_at_ms,
      row.files,
    ]
    if (row.checksum !== recordChecksum(values)) throw damaged('its record fails its checksum')
    if (!isState(state)) throw damaged(`its record says ${state}`)
    const contents = new Map<string, number>()
    const files = this.#files.all(id).map((found) => {
      const { name, content_id: content, bytes, digest, user_meta: userMeta } = found
      const file = { name, bytes, digest, userMeta }
      if (found.checksum !== fileChecksum(id, content, file))
        throw damaged(`the record of file ${name} fails its checksum`)
      contents.set(name, content)
      return file
    })
    if (files.length !== row.files) throw damaged(`it has ${files.length} files instead of ${row.files}`)
    const record: SnapshotRecord = {
      meta: {
        lastIncludedIndex: index,
        lastIncludedTerm: last_included_term,
        peers: JSON.parse(peers),
        oldPeers: JSON.parse(old_peers),
        ...configurationTail(row.identities),
      },
      files: files.sort((a, b) => (a.name < b.name ? -1 : 1)),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      takenAtMs: taken_at_ms,
    }
    const senseless = refuseRecord(record)
    if (senseless !== null) throw damaged(senseless)
    return { id, state, record, contents }
  }

  #changing<T>(doing: string, change: () => T): T {
    return this.#doing(doing, () => {
      if (this.#failure !== null) throw this.#failure
      if (!this.#db.inTransaction) this.#db.exec('BEGIN IMMEDIATE')
      return change()
    })
  }

  #doing<T>(doing: string, work: () => T): T {
    try {
      return work()
    } catch (thrown) {
      const error = toStorageError(thrown, doing)
      if (error.code === 'IO' || error.code === 'GONE') this.#failure ??= error
      throw error
    }
  }
}

function isState(state: string): state is SnapshotState {
  return state === 'copying' || state === 'published' || state === 'dropped'
}

function fileChecksum(
  snapshot: number,
  content: number,
  { name, bytes, digest, userMeta }: SnapshotFile,
): number {
  const meta = userMeta === null ? null : crc32(userMeta)
  return recordChecksum([snapshot, name, content, bytes, Buffer.from(digest).toString('hex'), meta])
}
