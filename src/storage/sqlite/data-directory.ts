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

/** Creates the directory, durably: a file in a directory whose own name is lost at power loss is lost with it. */
export function createDataDirectory(dataDir: string): void {
  const target = resolve(dataDir)
  try {
    const firstCreated = mkdirSync(target, { recursive: true })
    if (firstCreated === undefined) return
    for (let created = target; created.length >= firstCreated.length; created = dirname(created)) {
      syncDirectory(dirname(created))
    }
  } catch (error) {
    const reason = messageOf(error)
    throw new StorageError('IO', `Data directory ${dataDir} cannot be created: ${reason}.`, { cause: error })
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
    lock = new Database(join(dataDir, 'quorate.lock'), { timeout: 0 })
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
