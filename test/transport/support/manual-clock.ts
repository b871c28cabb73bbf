// A clock that moves when the test says so.

import type { Clock, TimerHandle } from '../../../src/runtime/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly run: () => void
}

export class ManualClock implements Clock {
  #nowMs = 0
  #deferred: (() => void)[] = []
  readonly #timers = new Set<Timer>()

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  setTimeout(run: () => void, delayMs: number): TimerHandle {
    const timer = { dueMs: this.#nowMs + delayMs, run }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(handle: TimerHandle): void {
    for (const timer of this.#timers) if (timer === handle) this.#timers.delete(timer)
  }

  defer(run: () => void): void {
    this.#deferred.push(run)
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Runs everything deferred, and what that defers, until nothing is left. */
  settle(): void {
    while (this.#deferred.length > 0) {
      const batch = this.#deferred
      this.#deferred = []
      for (const run of batch) run()
    }
  }

  advance(ms: number): void {
    this.#nowMs += ms
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#nowMs)
    for (const timer of due.sort((a, b) => a.dueMs - b.dueMs)) {
      if (this.#timers.delete(timer)) timer.run()
    }
    this.settle()
  }
}
