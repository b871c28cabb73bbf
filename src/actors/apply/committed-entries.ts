// Hands out committed entries in order: from memory while they are there, else read back from disk without holding up the
// loop.

import type { LogEntry, LogIndex } from '../../rules/types.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { ApplyWorld } from './apply-world.ts'

const NO_ENTRIES: readonly LogEntry[] = []

/** Payload asked for in one read; bounds memory, not work. */
const READ_BYTES = 1024 * 1024

export interface CommittedEntriesOptions {
  readonly world: Pick<ApplyWorld, 'log' | 'tuning' | 'gone'>
  /** What had to be fetched is there, or cannot be read. */
  readonly resume: () => void
  /** The log cannot give what it must hold. */
  readonly unreadable: (why: string, cause?: unknown) => void
}

export class CommittedEntries {
  readonly #options: CommittedEntriesOptions
  /** Read from the log, some of them handed out already. */
  #batch = NO_ENTRIES
  #fetching = false

  constructor(options: CommittedEntriesOptions) {
    this.#options = options
  }

  /** Entries from `next` on, up to `last`, at least one; null while they are on their way from disk, or unreadable. */
  from(next: LogIndex, last: LogIndex): readonly LogEntry[] | null {
    if (this.#fetching) return null
    const first = this.#batch[0]?.index ?? 0
    const skip = next - first
    if (first > 0 && skip >= 0 && skip < this.#batch.length)
      return skip === 0 ? this.#batch : this.#batch.slice(skip)
    const { log, tuning } = this.#options.world
    const count = Math.min(last - next + 1, tuning.maxApplyBatch)
    const cached = log.cached(next, count, READ_BYTES)
    if (cached === null) {
      this.#fetch(next, count)
      return null
    }
    this.#take(next, cached)
    return cached.length > 0 ? cached : null
  }

  /** Nothing is left to apply: what was read may leave memory. */
  forget(): void {
    this.#batch = NO_ENTRIES
  }

  #fetch(next: LogIndex, count: number): void {
    const { world, resume, unreadable } = this.#options
    this.#fetching = true
    world.log.fetch(next, count, READ_BYTES, (result) => {
      this.#fetching = false
      if (world.gone) return
      if (result.kind === 'failed') unreadable(messageOf(result.error), result.error)
      else this.#take(next, result.kind === 'entries' ? result.entries : NO_ENTRIES)
      resume()
    })
  }

  #take(next: LogIndex, entries: readonly LogEntry[]): void {
    this.#batch = entries
    if (entries.length === 0) this.#options.unreadable(`committed entry ${next} is not in the log`)
  }
}
