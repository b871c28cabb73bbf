// Looks at a data directory from outside, for `quorate doctor` and `quorate verify`: whose it is, whether it is in use,
// and whether every page and every entry can be read. Changes nothing.

import { existsSync, statfsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { LogEntry, LogIndex, PeerId, Term } from '../../rules/types.ts'
import { messageOf } from '../../runtime/errors.ts'
import { StorageError } from '../storage.ts'
import { databaseFile, lockDataDirectory } from './data-directory.ts'
import { toStorageError } from './failure.ts'
import { LogReader } from './log-reader.ts'
import { MetaTable } from './meta-table.ts'
import { FORMAT_VERSION } from './schema.ts'

/** What the log of one group looks like. */
export interface InspectedGroup {
  readonly name: string
  readonly term: Term
  readonly votedFor: PeerId | null
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
}

export interface InspectedDirectory {
  readonly databaseBytes: number
  readonly walBytes: number
  readonly freeBytes: number
  readonly fileSystem: FileSystem
  readonly hostId: string
  readonly formatVersion: number
  readonly groups: readonly InspectedGroup[]
  /** A process has it. */
  readonly inUse: boolean
  /** All pages and entries have been read, and `damage` is what is wrong with them. */
  readonly isLookedThrough: boolean
  /** What is damaged, one sentence each. */
  readonly damage: readonly string[]
}

/** Where the directory lies, as far as it matters. */
export type FileSystem = 'local' | 'network' | 'memory'

/** Numbers by which Linux calls file systems of other machines, and of none. */
const NETWORK_MAGIC: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400])
const MEMORY_MAGIC: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** Entries looked at between two reports of progress. */
const STEP_ENTRIES = 10_000
const STEP_BYTES = 16 * 1024 * 1024

/**
 * @param onProgress is told how many of all entries have been looked at.
 * @param evenInUse looks through what a process has, too, as it was at one moment. Meanwhile that process cannot shorten its
 *   write-ahead log.
 * @throws StorageError IO when there is no database or it cannot be opened, CORRUPT when it is none of ours, VERSION
 *   when a newer Quorate wrote it.
 */
export function inspectDirectory(
  dataDir: string,
  onProgress: (done: number, total: number) => void = () => {},
  evenInUse = false,
): InspectedDirectory {
  const file = databaseFile(dataDir)
  if (!existsSync(file)) {
    throw new StorageError('IO', `There is no ${file}: no member has been started with this directory.`)
  }
  const lock = tryLock(dataDir)
  let db: Database.Database | null = null
  try {
    db = new Database(file, { readonly: true, fileMustExist: true })
    db.exec('BEGIN')
    const { hostId, formatVersion } = readHost(db)
    const records = new MetaTable(db).records
    const reader = new LogReader(db)
    const groups = records.flatMap((record) => {
      if (record instanceof StorageError) return []
      const { name, hardState, firstIndex } = record
      const lastIndex = reader.lastIndex(record, firstIndex - 1)
      const term = hardState?.term ?? 0
      return [{ ...record, name, term, votedFor: hardState?.votedFor ?? null, firstIndex, lastIndex }]
    })
    const unreadable = records.filter((record) => record instanceof StorageError)
    const damage = unreadable.map(({ message }) => message)
    const isLookedThrough = evenInUse || lock !== null
    if (isLookedThrough) damage.push(...damagedPages(db), ...damagedEntries(reader, groups, onProgress))
    const { bavail, bsize, type } = statfsSync(dataDir)
    return {
      databaseBytes: statSync(file).size,
      walBytes: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      freeBytes: bavail * bsize,
      fileSystem: NETWORK_MAGIC.has(type) ? 'network' : MEMORY_MAGIC.has(type) ? 'memory' : 'local',
      ...{ hostId, formatVersion, groups, inUse: lock === null, isLookedThrough, damage },
    }
  } catch (error) {
    throw toStorageError(error, `looking at ${file}`)
  } finally {
    db?.close()
    lock?.close()
  }
}

/** Null: a process has it. */
function tryLock(dataDir: string): Database.Database | null {
  try {
    return lockDataDirectory(dataDir)
  } catch (error) {
    if (error instanceof StorageError && error.code === 'LOCKED') return null
    throw error
  }
}

function readHost(db: Database.Database): { hostId: string; formatVersion: number } {
  const row = db.prepare<[], unknown[]>('SELECT host_id, format_version FROM host').raw().get()
  const formatVersion = Number(row?.[1])
  if (formatVersion > FORMAT_VERSION) {
    throw new StorageError(
      'VERSION',
      `${db.name} is of format version ${formatVersion} and this Quorate reads up to ${FORMAT_VERSION}: use the newer Quorate that wrote it.`,
    )
  }
  return { hostId: String(row?.[0]), formatVersion }
}

/** What SQLite finds wrong with its own structure. */
function damagedPages(db: Database.Database): string[] {
  const found = db.prepare<[], string>('PRAGMA quick_check(5)').pluck().all()
  return found.filter((line) => line !== 'ok').map((line) => `SQLite: ${line.replace(/\s+/g, ' ')}.`)
}

function damagedEntries(
  reader: LogReader,
  groups: readonly (InspectedGroup & { readonly number: number })[],
  onProgress: (done: number, total: number) => void,
): string[] {
  const damage: string[] = []
  const total = groups.reduce((sum, { firstIndex, lastIndex }) => sum + lastIndex - firstIndex + 1, 0)
  let done = 0
  for (const group of groups) {
    let term = 0
    for (let next = group.firstIndex; next <= group.lastIndex; ) {
      const to = Math.min(group.lastIndex, next + STEP_ENTRIES - 1)
      const { entries, failure } = reader.readRows(group, next, to, STEP_BYTES)
      const looked = entries.length + (failure === null ? 0 : 1)
      for (const entry of entries) {
        if (entry.term < term) damage.push(goesBack(group, entry, term))
        term = entry.term
      }
      if (failure !== null) damage.push(messageOf(failure.error))
      next += looked
      done += looked
      onProgress(done, total)
      if (damage.length > MAX_DAMAGE) return damage
    }
  }
  return damage
}

/** More sentences of the same kind tell nobody anything. */
const MAX_DAMAGE = 10

function goesBack({ name }: InspectedGroup, { index, term }: LogEntry, before: Term): string {
  return `The log of group ${name} is damaged at index ${index}: its term is ${term}, and ${before} before it.`
}
