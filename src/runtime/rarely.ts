// For log lines that could come in floods: one in so many milliseconds, which says how many were left out before it.

/** Of lines about the same thing, in one place for all of them. */
export const LINE_INTERVAL_MS = 10_000

export class Rarely {
  #saidMs = Number.NEGATIVE_INFINITY
  #leftOut = 0

  /** How many were left out since the last one; null: this one is left out, too. */
  due(nowMs: number): number | null {
    if (nowMs - this.#saidMs < LINE_INTERVAL_MS) {
      this.#leftOut++
      return null
    }
    const leftOut = this.#leftOut
    this.#saidMs = nowMs
    this.#leftOut = 0
    return leftOut
  }
}
