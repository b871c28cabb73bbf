// Notices that a file that is written to is not the one anybody would open: removed, renamed, replaced, unmounted. The
// operating system goes on taking writes and syncs then.

import { type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../../runtime/errors.ts'
import { StorageError } from '../storage.ts'

export class PathWatch {
  readonly #path: string
  readonly #device: number
  readonly #inode: number

  /** To be made when the file is there. */
  constructor(path: string) {
    this.#path = resolve(path)
    const { dev, ino } = statSync(this.#path)
    this.#device = dev
    this.#inode = ino
  }

  /**
   * Whether what was just committed would be found. One `stat`, to come between a commit and its acknowledgement.
   * @returns the size of the file in bytes.
   * @throws StorageError GONE when the path leads to another file, or to none.
   */
  check(): number {
    let found: Stats | undefined
    try {
      found = statSync(this.#path, { throwIfNoEntry: false })
    } catch (error) {
      throw this.#gone(`cannot be looked at any more (${messageOf(error)})`, error)
    }
    if (found === undefined) throw this.#gone('is not there any more')
    if (found.ino !== this.#inode || found.dev !== this.#device) throw this.#gone('is another file now')
    return found.size
  }

  #gone(what: string, cause?: unknown): StorageError {
    return new StorageError(
      'GONE',
      `The files of data directory ${dirname(this.#path)} were removed, replaced or unmounted while they were in use: ${this.#path} ${what}. ` +
        'Nothing is acknowledged from here on. Stop this process, and restore the directory before it is started again.',
      { cause },
    )
  }
}
