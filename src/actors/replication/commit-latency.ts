// How long new entries take to be committed, while old ones are on their way to a follower and while they are not:
// what a follower's backlog costs everybody else.

import type { LogIndex } from '../../rules/types.ts'

interface Sample {
  readonly index: LogIndex
  readonly atMs: number
  disturbed: boolean
}

/** Weight of the newest sample in the mean. */
const WEIGHT = 1 / 8

export class CommitLatency {
  #sample: Sample | null = null
  #disturbedMs: number | null = null
  #undisturbedMs: number | null = null

  /** In how many times the usual time entries are committed while disturbed; null while not both are known. */
  get slowdown(): number | null {
    if (this.#disturbedMs === null || this.#undisturbedMs === null) return null
    return this.#disturbedMs / Math.max(this.#undisturbedMs, Number.EPSILON)
  }

  /** The log reaches to `lastIndex` and is committed up to `commitIndex`; one entry at a time is followed. */
  look(lastIndex: LogIndex, commitIndex: LogIndex, nowMs: number, disturbed: boolean): void {
    const sample = this.#sample
    if (sample !== null && sample.index <= commitIndex) {
      const tookMs = nowMs - sample.atMs
      if (sample.disturbed) this.#disturbedMs = mean(this.#disturbedMs, tookMs)
      else this.#undisturbedMs = mean(this.#undisturbedMs, tookMs)
      this.#sample = null
    }
    if (lastIndex > commitIndex) this.#sample ??= { index: lastIndex, atMs: nowMs, disturbed }
  }

  /** Nobody has looked for a while: how long the entry that was followed took is not known any more. */
  forget(): void {
    this.#sample = null
  }

  /** Old entries are sent from now on: what is being measured is measured with them. */
  disturb(): void {
    if (this.#sample !== null) this.#sample.disturbed = true
  }
}

function mean(before: number | null, sample: number): number {
  return before === null ? sample : before + (sample - before) * WEIGHT
}
