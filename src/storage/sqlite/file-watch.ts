// Notices that the files this process writes to are not the ones anybody would open: the directory was removed,
// renamed or replaced, a file unlinked, a mount taken away.

import { statfsSync } from 'node:fs'
import { resolve } from 'node:path'
import { databaseFile, lockFile } from './data-directory.ts'
import { PathWatch } from './path-watch.ts'

export class FileWatch {
  readonly #wal: PathWatch
  readonly #database: PathWatch
  readonly #guards: readonly PathWatch[]
  readonly #dataDir: string
  #databaseBytes = 0
  #freeBytes: number | undefined

  /** To be made when the database is open and has been written to: all its files are there then. */
  constructor(dataDir: string) {
    this.#dataDir = resolve(dataDir)
    const database = databaseFile(this.#dataDir)
    this.#wal = new PathWatch(`${database}-wal`)
    this.#database = new PathWatch(database)
    // Without its lock a second process would get in, and without the shared memory it would not see our own locks.
    this.#guards = [`${database}-shm`, lockFile(resolve(dataDir))].map((path) => new PathWatch(path))
  }

  /**
   * Whether what was just committed would be found. Two `stat` calls, to come between a commit and its
   * acknowledgement.
   * @returns the size of the write-ahead log in bytes.
   * @throws StorageError GONE when a path leads to another file, or to none.
   */
  checkCommitted(): number {
    this.#databaseBytes = this.#database.check()
    return this.#wal.check()
  }

  /** Its size when it was looked at last. */
  get databaseBytes(): number {
    return this.#databaseBytes
  }

  /** Room on its file system when all was looked at last. */
  get freeBytes(): number | undefined {
    return this.#freeBytes
  }

  /** The same, and whether others would still be kept out. */
  checkAll(): number {
    for (const file of this.#guards) file.check()
    this.#freeBytes = freeBytesOf(this.#dataDir)
    return this.checkCommitted()
  }
}

/** Whoever cannot say it is no reason to stop writing. */
function freeBytesOf(directory: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return undefined
  }
}
