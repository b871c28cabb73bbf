// What an asynchronous read hands over: what was read, in the light of what has happened to the log since it was asked
// for. The same for every storage.

import type { LogEntry, LogIndex } from '../rules/types.ts'
import type { LogWindow, ReadClaim } from './log-window.ts'
import type { Fetch, FetchDone, FetchResult, StorageError } from './storage.ts'

/** What came from the rows: entries from the first index asked for on, and what ended them early if it was damage. */
export interface RowsRead {
  readonly entries: readonly LogEntry[]
  /** Present when the row at `index` could not be read, or is missing. */
  readonly failure: { readonly index: LogIndex; readonly error: StorageError } | null
}

/** One read under way, from the moment it was asked for to its `done`. */
export class ClaimedRead implements Fetch {
  readonly #window: LogWindow
  readonly #claim: ReadClaim
  #done: FetchDone | null

  constructor(window: LogWindow, from: LogIndex, maxEntries: number, done: FetchDone) {
    this.#window = window
    this.#claim = window.claim(from, maxEntries)
    this.#done = done
  }

  get from(): LogIndex {
    return this.#claim.from
  }

  /** Below `from`: there is nothing to read. */
  get to(): LogIndex {
    return this.#claim.to
  }

  cancel(): void {
    this.#done = null
    this.#window.release(this.#claim)
  }

  /** Rows past the claim are others than those that were asked for, and whether they are whole is not asked here. */
  rowsRead({ entries, failure }: RowsRead): void {
    const { from, to } = this.#claim
    const { firstIndex } = this.#window
    if (from < firstIndex) this.#end({ kind: 'compacted', firstIndex })
    else if (failure !== null && failure.index <= to) this.#end({ kind: 'failed', error: failure.error })
    else {
      const kept = to - from + 1
      this.#end({
        kind: 'entries',
        entries: entries.length > kept ? entries.slice(0, Math.max(0, kept)) : entries,
      })
    }
  }

  failed(error: StorageError): void {
    this.#end({ kind: 'failed', error })
  }

  #end(result: FetchResult): void {
    const done = this.#done
    this.cancel()
    done?.(result)
  }
}
