// Keeps SQLite's write-ahead log small. Moving it into the database takes about 2 ms per MB during which no commit can
// happen, so it is done in small portions. The file is not shortened while it is in use (a commit into space that is
// already allocated takes half the time of one that makes the file grow) unless it has grown far beyond its limit:
// another program that reads the database keeps it from being moved, and it grows by all that is written meanwhile.

import type { Database, Statement } from 'better-sqlite3'

type Frames = readonly [busy: number, inLog: number, moved: number]

/** When nobody waits, this much of the limit is worth a checkpoint. */
const USEFUL_SHARE = 1 / 8
/**
 * A reader that happened to be active keeps SQLite from starting over at the front of the file. Then the next try
 * comes after this much of the limit, and the file is larger by that much.
 */
const RETRY_SHARE = 1 / 4
/** The file may be larger than its limit by this much for good: a few of the largest transactions. */
export const KEPT_BYTES_BEYOND_LIMIT = 8 * 1024 * 1024

export class WriteAheadLog {
  readonly #db: Database
  readonly #nowMs: () => number
  readonly #maxFrames: number
  readonly #maxKeptBytes: number
  readonly #look: Statement<[], Frames>
  readonly #move: Statement<[], Frames>
  readonly #truncate: Statement<[], Frames>
  /** Since when checkpoints have left something behind. */
  #behindSinceMs: number | null = null

  constructor(db: Database, maxBytes: number, nowMs: () => number) {
    this.#db = db
    this.#nowMs = nowMs
    const frameBytes = 24 + Number(db.pragma('page_size', { simple: true }))
    this.#maxFrames = Math.max(1, Math.floor(maxBytes / frameBytes))
    this.#maxKeptBytes = maxBytes + KEPT_BYTES_BEYOND_LIMIT
    // SQLite cuts a larger file to this when it starts over at its front.
    db.pragma(`journal_size_limit = ${this.#maxKeptBytes}`)
    this.#look = db.prepare<[], Frames>('PRAGMA wal_checkpoint(NOOP)').raw()
    this.#move = db.prepare<[], Frames>('PRAGMA wal_checkpoint(PASSIVE)').raw()
    this.#truncate = db.prepare<[], Frames>('PRAGMA wal_checkpoint(TRUNCATE)').raw()
  }

  /** For how long a reader has kept the log from being moved; `null`: none does. */
  get blockedMs(): number | null {
    return this.#behindSinceMs === null ? null : this.#nowMs() - this.#behindSinceMs
  }

  /** Syncs the log, then moves what no reader needs into the database and syncs that. */
  checkpoint(): void {
    const [, inLog, moved] = this.#move.get() ?? [0, 0, 0]
    const isBehind = inLog - moved >= this.#maxFrames * RETRY_SHARE
    if (!isBehind) this.#behindSinceMs = null
    else this.#behindSinceMs ??= this.#nowMs()
  }

  checkpointWhenFull(): void {
    const { inLog, waiting } = this.#frames()
    if (inLog >= this.#maxFrames && waiting >= this.#maxFrames * RETRY_SHARE) this.checkpoint()
  }

  checkpointWhenUseful(): void {
    if (this.#behindSinceMs !== null || this.#frames().waiting >= this.#maxFrames * USEFUL_SHARE)
      this.checkpoint()
  }

  /** Whether a reader is or was in the way, so that the file has to be brought back to its size. */
  isLarge(walBytes: number): boolean {
    return this.#behindSinceMs !== null || walBytes > this.#maxKeptBytes
  }

  /** Shortens a file that has grown far beyond its limit, if all of it is moved and no reader is in the way. */
  shortenWhenLarge(walBytes: number): void {
    if (walBytes <= this.#maxKeptBytes || this.#behindSinceMs !== null || this.#frames().waiting > 0) return
    const patienceMs = Number(this.#db.pragma('busy_timeout', { simple: true }))
    this.#db.pragma('busy_timeout = 0')
    try {
      this.#truncate.all()
    } finally {
      this.#db.pragma(`busy_timeout = ${patienceMs}`)
    }
  }

  /** Empties the log before closing. */
  truncate(): void {
    this.#truncate.all()
  }

  #frames(): { readonly inLog: number; readonly waiting: number } {
    const [, inLog, moved] = this.#look.get() ?? [0, 0, 0]
    return { inLog, waiting: inLog - moved }
  }
}
