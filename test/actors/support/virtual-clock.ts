// Time that moves when the test says so: timers in the order of their deadlines, deferred calls as turns of their own.

import type { Clock, TimerHandle } from '../../../src/runtime/clock.ts'

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

export class VirtualClock implements Clock {
  #nowMs = 10_000
  /** How much later it is at each look: above 0, whoever looks twice sees two times. */
  perLookMs = 0
  #timers: Timer[] = []
  #deferred: (() => void)[] = []

  nowMs(): number {
    this.#nowMs += this.perLookMs
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  setTimeout(run: () => void, delayMs: number): TimerHandle {
    if (!(delayMs >= 0)) throw new RangeError(`A delay of ${delayMs} ms makes no sense.`)
    const timer = { atMs: this.#nowMs + delayMs, run }
    this.#timers.push(timer)
    return timer
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers = this.#timers.filter((timer) => timer !== handle)
  }

  defer(run: () => void): void {
    this.#deferred.push(run)
  }

  get pendingTimers(): number {
    return this.#timers.length
  }

  /** The process does not run for a while: afterwards all that became due is late. */
  sleep(ms: number): void {
    this.#nowMs += ms
  }

  /** Carries out what was deferred, and what that defers, until nothing is left. */
  settle(): void {
    for (let turns = 0; this.#deferred.length > 0; turns++) {
      if (turns > 100_000) throw new Error('The deferred calls never end.')
      this.turn()
    }
  }

  /** Carries out what was deferred so far, once. */
  turn(): void {
    const batch = this.#deferred
    this.#deferred = []
    for (const run of batch) run()
  }

  /** Lets time pass, firing what becomes due in order; everything deferred is done before the next timer. */
  advance(ms: number): void {
    this.settle()
    const endMs = this.#nowMs + ms
    for (let next = this.#earliest(); next !== undefined && next.atMs <= endMs; next = this.#earliest()) {
      this.clearTimeout(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
      this.settle()
    }
    this.#nowMs = endMs
  }

  #earliest(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first === undefined || timer.atMs < first.atMs ? timer : first),
      undefined,
    )
  }
}
