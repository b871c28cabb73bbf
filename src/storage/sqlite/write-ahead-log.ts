// Keeps SQLite's write-ahead log small. Moving it into the database takes about 2 ms per MB during which no commit can
// happen, so it is done in small portions. The file is never shortened while it is in use: a commit into space that is
// already allocated takes half the time of one that makes the file grow.

import type { Database, Statement } from 'better-sqlite3'

type Frames = readonly [busy: number, inLog: number, moved: number]

/** When nobody waits, this much of the limit is worth a checkpoint. */
const USEFUL_SHARE = 1 / 8
/**
 * A reader that happened to be active keeps SQLite from starting over at the front of the file. Then the next try
 * comes after this much of the limit, and the file is larger by that much.
 */
const RETRY_SHARE = 1 / 4

export class WriteAheadLog {
  readonly #maxFrames: number
  readonly #look: Statement<[], Frames>
  readonly #move: Statement<[], Frames>
  readonly #truncate: Statement<[], Frames>

  constructor(db: Database, maxBytes: number) {
    const frameBytes = 24 + Number(db.pragma('page_size', { simple: true }))
    this.#maxFrames = Math.max(1, Math.floor(maxBytes / frameBytes))
    this.#look = db.prepare<[], Frames>('PRAGMA wal_checkpoint(NOOP)').raw()
    this.#move = db.prepare<[], Frames>('PRAGMA wal_checkpoint(PASSIVE)').raw()
    this.#truncate = db.prepare<[], Frames>('PRAGMA wal_checkpoint(TRUNCATE)').raw()
  }

  /** Syncs the log, then moves what no reader needs into the database and syncs that. */
  checkpoint(): void {
    this.#move.all()
  }

  checkpointWhenFull(): void {
    const { inLog, waiting } = this.#frames()
    if (inLog >= this.#maxFrames && waiting >= this.#maxFrames * RETRY_SHARE) this.checkpoint()
  }

  checkpointWhenUseful(): void {
    if (this.#frames().waiting >= this.#maxFrames * USEFUL_SHARE) this.checkpoint()
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
