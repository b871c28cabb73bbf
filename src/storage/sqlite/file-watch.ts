// Notices that the files this process writes to are not the ones anybody would open: the directory was removed,
// renamed or replaced, a file unlinked, a mount taken away.

import { resolve } from 'node:path'
import { databaseFile, lockFile } from './data-directory.ts'
import { PathWatch } from './path-watch.ts'

export class FileWatch {
  readonly #wal: PathWatch
  readonly #database: PathWatch
  readonly #guards: readonly PathWatch[]
  #databaseBytes = 0

  /** To be made when the database is open and has been written to: all its files are there then. */
  constructor(dataDir: string) {
    const database = databaseFile(resolve(dataDir))
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

  /** The same, and whether others would still be kept out. */
  checkAll(): number {
    for (const file of this.#guards) file.check()
    return this.checkCommitted()
  }
}
