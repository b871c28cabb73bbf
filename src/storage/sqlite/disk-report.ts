// Tells the operator that the disk is slow; that another program reads the database for so long that its write-ahead log
// grows, and when that is over: at once, then whenever the log has doubled.

import { systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { Rarely } from '../../runtime/rarely.ts'
import type { DiskStatus } from '../storage.ts'

const MEGABYTE = 1_000_000
/** A write with its sync takes some milliseconds. When it takes this long, whoever waits for a commit notices. */
const SLOW_WRITE_MS = 500

export class DiskReport {
  readonly #logger: Logger
  readonly #dataDir: string
  /** What was said of last; `null`: nobody is in the way. */
  #saidBytes: number | null = null
  readonly #slowWrites = new Rarely()
  /** Of the writes that were slow since it was said last. */
  #worstMs = 0

  constructor(logger: Logger, dataDir: string) {
    this.#logger = logger
    this.#dataDir = dataDir
  }

  /** A write has been confirmed, or has failed. */
  wrote(tookMs: number, nowMs = systemClock.nowMs()): void {
    if (tookMs < SLOW_WRITE_MS) return
    this.#worstMs = Math.max(this.#worstMs, tookMs)
    const leftOut = this.#slowWrites.due(nowMs)
    if (leftOut === null) return
    const worstMs = Math.round(this.#worstMs)
    this.#worstMs = 0
    this.#logger.warn(
      { dataDir: this.#dataDir, tookMs: Math.round(tookMs), worstMs, leftOut },
      `The disk of ${this.#dataDir} took ${worstMs} ms to write: what waits for it here waits as long.`,
    )
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
