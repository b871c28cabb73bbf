// The timers of all instances at the leader: a heap of when they are due, and one timer of the clock for the first. What was
// cancelled or armed anew meanwhile is passed over when its time comes, or left out when the heap has grown to twice its size: a
// day is long, and most timers are cancelled soon.

import type { Clock, TimerHandle } from '../runtime/clock.ts'

export interface DueTimer {
  readonly dueAtMs: number
  readonly key: string
  readonly id: string
  readonly armedAt: number
}

/** The least that is worth looking through. */
const MIN_CROWD = 1024

/** Clocks fire at once when they are given more; whoever wakes early looks again. */
const MAX_SLEEP_MS = 60 * 60 * 1000

export interface DueTimersInput {
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  /** In the time of the log. */
  readonly nowMs: () => number
  readonly due: (timer: DueTimer) => void
  readonly isWanted: (timer: DueTimer) => boolean
}

export class DueTimers {
  readonly #input: DueTimersInput
  #heap: DueTimer[] = []
  /** So many, and those that nobody waits for are left out. */
  #crowd = MIN_CROWD
  #sleep: { readonly handle: TimerHandle; readonly untilMs: number } | null = null

  constructor(input: DueTimersInput) {
    this.#input = input
  }

  get size(): number {
    return this.#heap.length
  }

  add(timer: DueTimer): void {
    if (this.#heap.length >= this.#crowd) this.#thin()
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || parent.dueAtMs <= timer.dueAtMs) break
      heap[at] = parent
      at = above
    }
    heap[at] = timer
    if (at === 0) this.#sleepUntil(timer.dueAtMs)
  }

  /** The time has made a step. */
  look(): void {
    if (this.#sleep !== null) this.#input.clock.clearTimeout(this.#sleep.handle)
    this.#wake()
  }

  clear(): void {
    this.#heap.length = 0
    if (this.#sleep !== null) this.#input.clock.clearTimeout(this.#sleep.handle)
    this.#sleep = null
  }

  /** What is in order stays a heap. */
  #thin(): void {
    this.#heap = this.#heap.filter(this.#input.isWanted).sort((one, other) => one.dueAtMs - other.dueAtMs)
    this.#crowd = Math.max(MIN_CROWD, 2 * this.#heap.length)
  }

  #sleepUntil(dueAtMs: number): void {
    if (this.#sleep !== null && this.#sleep.untilMs <= dueAtMs) return
    if (this.#sleep !== null) this.#input.clock.clearTimeout(this.#sleep.handle)
    // Clocks fire a fraction of a millisecond early, too.
    const delayMs = Math.min(Math.max(Math.ceil(dueAtMs - this.#input.nowMs()), 1), MAX_SLEEP_MS)
    this.#sleep = { handle: this.#input.clock.setTimeout(() => this.#wake(), delayMs), untilMs: dueAtMs }
  }

  #wake(): void {
    this.#sleep = null
    const nowMs = this.#input.nowMs()
    for (let first = this.#heap[0]; first !== undefined && first.dueAtMs <= nowMs; first = this.#heap[0]) {
      this.#pop()
      this.#input.due(first)
    }
    const next = this.#heap[0]
    if (next !== undefined) this.#sleepUntil(next.dueAtMs)
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const one = heap[left]
      const other = heap[left + 1]
      if (one === undefined) break
      const isRight = other !== undefined && other.dueAtMs < one.dueAtMs
      const least = isRight ? other : one
      if (last.dueAtMs <= least.dueAtMs) break
      heap[at] = least
      at = isRight ? left + 1 : left
    }
    heap[at] = last
  }
}
