// Old entries for one follower: read from disk off the loop, a little ahead of what is sent. At most one read is under
// way, and what it and the one before brought is all that is held.

import type { RaftLog } from '../../log/raft-log.ts'
import type { LogEntry, LogIndex } from '../../rules/types.ts'
import type { Fetch, FetchResult } from '../../storage/storage.ts'
import type { FrameLimits } from '../../transport/wire/codec.ts'

/** Frames that one read may bring: reads cost a message to another thread and back. */
const FRAMES_PER_READ = 4
const MAX_READ_BYTES = 1024 * 1024

export class Backlog {
  #held: readonly LogEntry[] = []
  /** How many of them have been sent. */
  #sent = 0
  #next: readonly LogEntry[] = []
  #fetch: Fetch | null = null
  #reads = 0

  /** The read under way; 0: none. */
  get reading(): number {
    return this.#fetch === null ? 0 : this.#reads
  }

  /** Entries from `from` on, bounded; none when they have not been read yet. What is asked for twice is there twice. */
  peek(from: LogIndex, { maxEntries, maxBytes }: FrameLimits): readonly LogEntry[] {
    this.#moveTo(from)
    const end = Math.min(this.#held.length, this.#sent + maxEntries)
    let at = this.#sent
    for (let bytes = 0; at < end; at++) {
      bytes += this.#held[at]?.data.length ?? 0
      if (bytes > maxBytes && at > this.#sent) break
    }
    return this.#held.slice(this.#sent, at)
  }

  /** Asks for what comes after all that is held, unless that is in memory, or enough is held or on its way. */
  readAhead(
    log: RaftLog,
    from: LogIndex,
    frame: FrameLimits,
    done: (read: number, result: FetchResult) => void,
  ): void {
    this.#moveTo(from)
    if (this.#fetch !== null || this.#next.length > 0) return
    const next = (this.#held.at(-1)?.index ?? from - 1) + 1
    if (next >= log.firstCachedIndex) return
    const read = ++this.#reads
    const maxBytes = Math.max(frame.maxBytes, Math.min(MAX_READ_BYTES, FRAMES_PER_READ * frame.maxBytes))
    this.#fetch = log.fetch(next, FRAMES_PER_READ * frame.maxEntries, maxBytes, (result) =>
      done(read, result),
    )
  }

  /** The read under way has brought these. */
  take(entries: readonly LogEntry[]): void {
    this.#fetch = null
    this.#next = entries
  }

  /** Forgets all, and gives up the read under way. */
  drop(): void {
    this.#fetch?.cancel()
    this.#fetch = null
    this.#held = []
    this.#next = []
    this.#sent = 0
  }

  /** What lies before `from` has been sent. What does not reach from there on is of no use. */
  #moveTo(from: LogIndex): void {
    if (!covers(this.#held, from)) {
      this.#held = covers(this.#next, from) ? this.#next : []
      this.#next = []
    }
    this.#sent = from - (this.#held[0]?.index ?? from)
  }
}

function covers(entries: readonly LogEntry[], index: LogIndex): boolean {
  const [first] = entries
  return first !== undefined && first.index <= index && index < first.index + entries.length
}
