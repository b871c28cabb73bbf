// Notices that the files this process writes to are not the ones anybody would open: the directory was removed,
// renamed or replaced, a file unlinked, a mount taken away. The operating system goes on taking writes and syncs then.

import { type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../../runtime/errors.ts'
import { StorageError } from '../storage.ts'
import { databaseFile, lockFile } from './data-directory.ts'

interface Watched {
  readonly path: string
  readonly device: number
  readonly inode: number
}

export class FileWatch {
  readonly #dataDir: string
  readonly #wal: Watched
  readonly #database: Watched
  readonly #guards: readonly Watched[]

  /** To be made when the database is open and has been written to: all its files are there then. */
  constructor(dataDir: string) {
    this.#dataDir = dataDir
    const database = databaseFile(resolve(dataDir))
    const watch = (path: string): Watched => {
      const { dev, ino } = statSync(path)
      return { path, device: dev, inode: ino }
    }
    this.#wal = watch(`${database}-wal`)
    this.#database = watch(database)
    // Without its lock a second process would get in, and without the shared memory it would not see our own locks.
    this.#guards = [`${database}-shm`, lockFile(resolve(dataDir))].map(watch)
  }

  /**
   * Whether what was just committed would be found. Two `stat` calls, to come between a commit and its
   * acknowledgement.
   * @returns the size of the write-ahead log in bytes.
   * @throws StorageError GONE when a path leads to another file, or to none.
   */
  checkCommitted(): number {
    this.#sizeOf(this.#database)
    return this.#sizeOf(this.#wal)
  }

  /** The same, and whether others would still be kept out. */
  checkAll(): number {
    for (const file of this.#guards) this.#sizeOf(file)
    return this.checkCommitted()
  }

  #sizeOf({ path, device, inode }: Watched): number {
    let found: Stats | undefined
    try {
      found = statSync(path, { throwIfNoEntry: false })
    } catch (error) {
      throw this.#gone(path, `cannot be looked at any more (${messageOf(error)})`, error)
    }
    if (found === undefined) throw this.#gone(path, 'is not there any more')
    if (found.ino !== inode || found.dev !== device) throw this.#gone(path, 'is another file now')
    return found.size
  }

  #gone(path: string, what: string, cause?: unknown): StorageError {
    return new StorageError(
      'GONE',
      `The files of data directory ${this.#dataDir} were removed, replaced or unmounted while they were in use: ${path} ${what}. ` +
        'Nothing is acknowledged from here on. Stop this process, and restore the directory before it is started again.',
      { cause },
    )
  }
}
