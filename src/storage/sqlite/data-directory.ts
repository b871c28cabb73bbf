// A data directory and the lock that keeps a second process out of it.

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { messageOf } from '../../runtime/errors.ts'
import { StorageError } from '../storage.ts'
import { sqliteCode, toStorageError } from './failure.ts'

export function databaseFile(dataDir: string): string {
  return join(dataDir, 'quorate.db')
}

export function snapshotsFile(dataDir: string): string {
  return join(dataDir, 'snapshots.db')
}

export function lockFile(dataDir: string): string {
  return join(dataDir, 'quorate.lock')
}

/**
 * Creates the directory, durably: a file in a directory whose own name is lost at power loss is lost with it. Until
 * there is a database the names are synced again, for a process that died between creating and syncing them.
 */
export function createDataDirectory(dataDir: string): void {
  const target = resolve(dataDir)
  try {
    const created = createMissing(target)
    if (!existsSync(databaseFile(target))) syncNames(target, created)
  } catch (error) {
    const reason = messageOf(error)
    throw new StorageError('IO', `Data directory ${dataDir} cannot be created: ${reason}.`, { cause: error })
  }
}

/**
 * Not `mkdir` with `recursive`: where a directory says that it is there and takes no entry (/proc), Node's goes round
 * in a circle for ever.
 */
function createMissing(target: string): ReadonlySet<string> {
  const missing: string[] = []
  let at = target
  for (; statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) {
    missing.push(at)
    if (dirname(at) === at) break
  }
  if (missing.length === 0 && !statSync(target).isDirectory()) throw new Error('it is a file')
  for (const directory of missing.toReversed()) makeDirectory(directory)
  return new Set(missing)
}

/** Members of one machine start together, and may create what they share at the same time. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}

/** What this process did not create it may not be allowed to open, and need not. */
function syncNames(target: string, created: ReadonlySet<string>): void {
  for (let at = target; dirname(at) !== at; at = dirname(at)) {
    try {
      syncDirectory(dirname(at))
    } catch (error) {
      if (created.has(at)) throw error
    }
  }
}

/**
 * Takes the directory for this process until the connection is closed. The lock is one of the operating system on an
 * empty SQLite file, so it is gone when the process is, however it ended.
 * @throws StorageError LOCKED when somebody else has it.
 */
export function lockDataDirectory(dataDir: string): Database.Database {
  let lock: Database.Database | null = null
  try {
    lock = new Database(lockFile(dataDir), { timeout: 0 })
    lock.pragma('locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (!sqliteCode(error).startsWith('SQLITE_BUSY'))
      throw toStorageError(error, `locking data directory ${dataDir}`)
    throw new StorageError(
      'LOCKED',
      `Data directory ${dataDir} is in use by another process, or by another host in this one: stop that one, or choose a directory of your own.`,
      { cause: error },
    )
  }
}

/** A write-ahead log without its database is half of a copy: SQLite would throw it away and begin with nothing. */
export function refuseLoneWal(file: string): void {
  if (existsSync(file) || !existsSync(`${file}-wal`) || statSync(`${file}-wal`).size === 0) return
  throw new StorageError(
    'CORRUPT',
    `${file} is missing but its write-ahead log ${file}-wal is there: restore both files, or remove both to begin empty.`,
  )
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
