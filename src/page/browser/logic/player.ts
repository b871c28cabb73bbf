// A recording that is played, stepped through and searched: which frames are to be shown next. Going back begins anew, as
// what has happened can't be undone.

import type { ReplayFrame } from '../../page-protocol.ts'

export interface Move {
  /** All that was shown is forgotten first. */
  readonly isAnew: boolean
  readonly frames: readonly ReplayFrame[]
}

export class Player {
  readonly frames: readonly ReplayFrame[]
  #position = 0
  #nowMs: number

  constructor(frames: readonly ReplayFrame[]) {
    this.frames = frames
    this.#nowMs = this.startMs
  }

  get startMs(): number {
    return this.frames[0]?.atMs ?? 0
  }

  get endMs(): number {
    return this.frames.at(-1)?.atMs ?? 0
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get isAtEnd(): boolean {
    return this.#position >= this.frames.length
  }

  /** To a moment: what has happened up to it, itself included. */
  seek(atMs: number): Move {
    const to = Math.min(this.endMs, Math.max(this.startMs, atMs))
    const isAnew = to < this.#nowMs
    const from = isAnew ? 0 : this.#position
    let end = from
    while ((this.frames[end]?.atMs ?? Number.POSITIVE_INFINITY) <= to) end += 1
    this.#position = end
    this.#nowMs = to
    return { isAnew, frames: this.frames.slice(from, end) }
  }

  /** To the next thing that happens, or the one before. */
  step(direction: 1 | -1): Move {
    if (direction === 1) return this.seek(this.frames[this.#position]?.atMs ?? this.endMs)
    let at = this.#position - 1
    while (at >= 0 && (this.frames[at]?.atMs ?? 0) >= this.#nowMs) at -= 1
    return this.seek(this.frames[at]?.atMs ?? this.startMs)
  }
}
