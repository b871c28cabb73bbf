// Turns whatever SQLite and the file system throw into the storage's own errors, and carries them between threads.

import Database from 'better-sqlite3'
import { messageOf } from '../../runtime/errors.ts'
import { StorageError, type StorageErrorCode } from '../storage.ts'

/** A StorageError as a plain value: what crosses the thread border. */
export interface Failure {
  readonly code: StorageErrorCode
  readonly message: string
}

/** `doing` completes "Storage failed while …". */
export function toStorageError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error
  const reason = messageOf(error)
  return new StorageError(codeOf(error), `Storage failed while ${doing}: ${reason}.${adviceOn(error)}`, {
    cause: error,
  })
}

export function toFailure(error: unknown, doing: string): Failure {
  const { code, message } = toStorageError(error, doing)
  return { code, message }
}

export function fromFailure(failure: Failure): StorageError {
  return new StorageError(failure.code, failure.message)
}

/** SQLite's own code, such as SQLITE_BUSY; empty for anything else. */
export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : ''
}

/** What to do about a file that SQLite does not know as its own; empty for anything else. */
function adviceOn(error: unknown): string {
  if (sqliteCode(error) !== 'SQLITE_NOTADB') return ''
  return ' It is damaged, or something else has been written in its place: move the data directory away, and restore a backup of it or start this member empty, to be brought up to date by the others.'
}

function codeOf(error: unknown): StorageErrorCode {
  const code = sqliteCode(error)
  if (code === 'SQLITE_FULL') return 'FULL'
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' ? 'CORRUPT' : 'IO'
}
