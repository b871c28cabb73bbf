// The snapshots in the directory of a member that is not running, for whoever looks at them from outside: what there is,
// whether it is whole, and its bytes. Holds the directory's lock until it is closed.

import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { messageOf } from '../../../runtime/errors.ts'
import type { SnapshotFile } from '../../snapshot-store.ts'
import { fileDigest, sameBytes } from '../../snapshots/digest.ts'
import type { StoredSnapshot } from '../../snapshots/snapshot-tables.ts'
import { StorageError } from '../../storage.ts'
import { databaseFile, lockDataDirectory, snapshotsFile } from '../data-directory.ts'
import { toStorageError } from '../failure.ts'
import { SNAPSHOT_STEPS } from './snapshot-schema.ts'
import { SqliteTables } from './sqlite-tables.ts'

/** Of one group, oldest first. */
export interface GroupSnapshots {
  readonly group: string
  readonly snapshots: readonly StoredSnapshot[]
  /** What cannot be read of them at all; null: nothing. */
  readonly damage: string | null
}

export class StoppedSnapshots {
  readonly #lock: Database.Database
  readonly #db: Database.Database | null
  readonly #tables: SqliteTables | null
  /** Of the file; 0: there is none. */
  readonly bytes: number
  /** Whose it is; empty when there is none. */
  readonly hostId: string
  readonly groups: readonly GroupSnapshots[]

  /**
   * @throws StorageError IO when there are no files of a member or they cannot be opened, LOCKED when a process has them,
   *   CORRUPT when the file is none of ours, VERSION when a newer Quorate wrote it.
   */
  constructor(dataDir: string) {
    const member = databaseFile(dataDir)
    if (!existsSync(member))
      throw new StorageError('IO', `There is no ${member}: no member has been started with this directory.`)
    const file = snapshotsFile(dataDir)
    const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    const lock = lockDataDirectory(dataDir)
    let db: Database.Database | null = null
    try {
      // To be written to, though nothing is: a member that was killed has left changes to be undone.
      db = bytes === 0 ? null : new Database(file, { fileMustExist: true })
      this.hostId = db === null ? '' : readHost(db)
      this.#tables = db === null ? null : new SqliteTables(db)
      this.groups = db === null ? [] : readGroups(db, this.#tables)
    } catch (error) {
      db?.close()
      lock.close()
      throw toStorageError(error, `looking at ${file}`)
    }
    this.#lock = lock
    this.#db = db
    this.bytes = bytes
  }

  /** The newest published one of a group; null: there is none. */
  newest(group: string): StoredSnapshot | null {
    const found = this.groups.find((each) => each.group === group)
    return found?.snapshots.findLast(({ state }) => state === 'published') ?? null
  }

  /** Why the snapshots of a group cannot be read; null: they can. */
  damageOf(group: string): string | null {
    return this.groups.find((each) => each.group === group)?.damage ?? null
  }

  /** The contents of a file, chunk by chunk. @throws StorageError CORRUPT, naming the file, where it is damaged. */
  *read(snapshot: StoredSnapshot, file: SnapshotFile): Iterable<Uint8Array> {
    const content = snapshot.contents.get(file.name) ?? 0
    const chunks = [...(this.#tables?.chunks(content) ?? [])]
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
    if (bytes !== file.bytes || !sameBytes(fileDigest(chunks.map(({ digest }) => digest)), file.digest))
      throw damaged(snapshot, file, 'its chunks do not fit its checksum')
    for (const [number, chunk] of chunks.entries()) {
      const data = this.#tables?.readChunk(content, number) ?? null
      if (data === null || data.length !== chunk.bytes)
        throw damaged(snapshot, file, `chunk ${number + 1} of ${chunks.length} does not fit its checksum`)
      yield data
    }
  }

  close(): void {
    this.#db?.close()
    this.#lock.close()
  }
}

function readHost(db: Database.Database): string {
  const [id, version] =
    db.prepare<[], unknown[]>('SELECT host_id, format_version FROM host').raw().get() ?? []
  if (Number(version) <= SNAPSHOT_STEPS.length) return String(id)
  throw new StorageError(
    'VERSION',
    `${db.name} is of format version ${String(version)} and this Quorate reads up to ${SNAPSHOT_STEPS.length}: use the newer Quorate that wrote it.`,
  )
}

function readGroups(db: Database.Database, tables: SqliteTables | null): readonly GroupSnapshots[] {
  const sql = 'SELECT DISTINCT group_name FROM snapshots ORDER BY group_name'
  const names = db.prepare<[], string>(sql).pluck().all()
  return names.map((group) => {
    try {
      return { group, snapshots: tables?.load(group) ?? [], damage: null }
    } catch (error) {
      return { group, snapshots: [], damage: messageOf(error) }
    }
  })
}

function damaged({ record }: StoredSnapshot, { name }: SnapshotFile, where: string): StorageError {
  const { lastIncludedIndex } = record.meta
  return new StorageError('CORRUPT', `File ${name} of snapshot ${lastIncludedIndex} is damaged: ${where}.`)
}
