// Tells the operator that another program reads the database for so long that its write-ahead log grows, and when that
// is over: at once, then whenever the log has doubled, but not more often than there is something new to say.

import type { Logger } from '../../runtime/logger.ts'
import type { DiskStatus } from '../storage.ts'

const MEGABYTE = 1_000_000

export class ReaderReport {
  readonly #logger: Logger
  readonly #dataDir: string
  /** What was said of last; `null`: nobody is in the way. */
  #saidBytes: number | null = null

  constructor(logger: Logger, dataDir: string) {
    this.#logger = logger
    this.#dataDir = dataDir
  }

  take({ walBytes, blockedByReaderMs }: DiskStatus): void {
    const fields = { dataDir: this.#dataDir, walBytes, blockedByReaderMs }
    const megabytes = (walBytes / MEGABYTE).toFixed(1)
    if (blockedByReaderMs === null) {
      if (this.#saidBytes === null) return
      this.#saidBytes = null
      this.#logger.info(
        fields,
        'Nobody reads the database for long any more: its write-ahead log shrinks again.',
      )
      return
    }
    if (this.#saidBytes !== null && walBytes < 2 * this.#saidBytes) return
    this.#saidBytes = walBytes
    const seconds = Math.round(blockedByReaderMs / 1000)
    this.#logger.warn(
      fields,
      `Another program has been reading the database in ${this.#dataDir} for ${seconds} s (a backup, a sqlite3 shell with a ` +
        `transaction open): its write-ahead log has grown to ${megabytes} MB and grows by all that is written until that program is done.`,
    )
  }
}
