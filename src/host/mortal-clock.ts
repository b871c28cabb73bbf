// The clock of one node. When the node is gone its timers are gone, too, whoever set them: a chart that has crashed cannot
// stop its children in order, and what they had planned must not come true.

import type { Clock, TimerHandle } from '../runtime/clock.ts'

export class MortalClock implements Clock {
  readonly #clock: Clock
  readonly #armed = new Set<object>()
  #ended = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  setTimeout(run: () => void, delayMs: number): TimerHandle {
    const timer: { handle: TimerHandle } = { handle: undefined }
    if (this.#ended) return timer
    this.#armed.add(timer)
    timer.handle = this.#clock.setTimeout(() => {
      if (this.#armed.delete(timer)) run()
    }, delayMs)
    return timer
  }

  clearTimeout(timer: TimerHandle): void {
    if (typeof timer !== 'object' || timer === null || !this.#armed.delete(timer)) return
    if ('handle' in timer) this.#clock.clearTimeout(timer.handle)
  }

  /** Not cut off: completions that were promised still come. */
  defer(run: () => void): void {
    this.#clock.defer(run)
  }

  end(): void {
    this.#ended = true
    for (const timer of [...this.#armed]) this.clearTimeout(timer)
  }
}
