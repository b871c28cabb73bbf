// The same entries go to several peers: their frame is encoded once. A few recent frames are kept, found again by the
// identity of the entries array, and never more bytes than a bound.

import type { AppendEntriesRequest } from './messages/registry.ts'

const MAX_FRAMES = 8
const MAX_BYTES = 4 * 1024 * 1024

interface CachedFrame {
  /** Weak, so that a frame never keeps entries alive that the log has let go of. */
  readonly entries: WeakRef<AppendEntriesRequest['entries']>
  readonly term: number
  readonly prevLogIndex: number
  readonly prevLogTerm: number
  readonly committedIndex: number
  readonly bytes: Uint8Array
}

export class FrameCache {
  readonly #frames: CachedFrame[] = []
  #bytes = 0

  get(request: AppendEntriesRequest): Uint8Array | undefined {
    for (const frame of this.#frames) {
      if (
        frame.prevLogIndex === request.prevLogIndex &&
        frame.committedIndex === request.committedIndex &&
        frame.term === request.term &&
        frame.prevLogTerm === request.prevLogTerm &&
        frame.entries.deref() === request.entries
      ) {
        return frame.bytes
      }
    }
    return undefined
  }

  put(request: AppendEntriesRequest, bytes: Uint8Array): void {
    const { term, prevLogIndex, prevLogTerm, committedIndex } = request
    const entries = new WeakRef(request.entries)
    this.#frames.push({ entries, term, prevLogIndex, prevLogTerm, committedIndex, bytes })
    this.#bytes += bytes.length
    while (this.#frames.length > MAX_FRAMES || (this.#bytes > MAX_BYTES && this.#frames.length > 0)) {
      this.#bytes -= this.#frames.shift()?.bytes.length ?? 0
    }
  }
}
