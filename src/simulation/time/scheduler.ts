// Virtual time: the one queue of everything that will happen, and the only place that decides what happens next.

import type { Random } from '../../runtime/random.ts'

/** What an event is for, so that a run can say how many of each it had. */
export const EventKind = { TIMER: 0, DEFER: 1, MESSAGE: 2, DISK: 3, FAULT: 4, OTHER: 5 } as const
export type EventKind = (typeof EventKind)[keyof typeof EventKind]
const KIND_NAMES = ['timer', 'defer', 'message', 'disk', 'fault', 'other'] as const
export type EventCounts = Readonly<Record<(typeof KIND_NAMES)[number], number>>

/**
 * The grain of virtual time. A power of two, so that sums and differences of times are exact and a timer of 100 ms
 * is due after 100 ms, never after 99.99999.
 */
export const TICK_MS = 1 / 1024
export const ceilToTick = (timeMs: number): number => Math.ceil(timeMs * 1024) / 1024
export const floorToTick = (timeMs: number): number => Math.floor(timeMs * 1024) / 1024

/** Pass it to `cancel`; look no further into it. */
export interface ScheduledEvent {
  readonly atMs: number
}

interface QueuedEvent extends ScheduledEvent {
  /** Drawn when scheduled: events of one instant run in an order that the seed decides. */
  readonly tie: number
  readonly sequence: number
  readonly kind: EventKind
  /** Null once run or canceled; the place in the heap is cleaned up later. */
  run: (() => void) | null
}

export interface SchedulerOptions {
  readonly random: Random
  /** More events than this without virtual time moving on is a hot loop and ends the run. */
  readonly maxEventsPerInstant?: number
}

export class Scheduler {
  readonly #random: Random
  readonly #maxEventsPerInstant: number
  readonly #counts: number[] = KIND_NAMES.map(() => 0)
  #heap: QueuedEvent[] = []
  #canceled = 0
  #sequence = 0
  #eventMs = 0
  #spentMs = 0
  #isInEvent = false
  #executed = 0
  #atThisInstant = 0
  /** Called after every event: the place where invariants are checked. */
  onStep: (() => void) | null = null

  constructor(options: SchedulerOptions) {
    this.#random = options.random
    this.#maxEventsPerInstant = options.maxEventsPerInstant ?? 1_000_000
  }

  /**
   * True time of the simulated world, in milliseconds. No process sees it. An event takes no time, but for what its
   * process spends in it: then it is later for what comes behind in the same event, and for what that schedules.
   */
  get nowMs(): number {
    return this.#eventMs + this.#spentMs
  }

  /** When the event that is going on began. */
  get eventMs(): number {
    return this.#eventMs
  }

  /** The event that is going on takes this much time more. */
  spend(ms: number): void {
    this.#spentMs += ceilToTick(ms)
  }

  /** A turn is over. Outside of every event (a script called) nothing else is going on that could be later. */
  turnEnded(): void {
    if (!this.#isInEvent) this.#spentMs = 0
  }

  /** Events that wait. */
  get pending(): number {
    return this.#heap.length - this.#canceled
  }

  get executed(): number {
    return this.#executed
  }

  counts(): EventCounts {
    const [timer = 0, defer = 0, message = 0, disk = 0, fault = 0, other = 0] = this.#counts
    return { timer, defer, message, disk, fault, other }
  }

  /** Runs `run` after `delayMs` (rounded up to the tick). */
  schedule(delayMs: number, kind: EventKind, run: () => void): ScheduledEvent {
    return this.scheduleAt(this.nowMs + delayMs, kind, run)
  }

  /** Runs `run` at `timeMs`, or as soon as possible when that is over. */
  scheduleAt(timeMs: number, kind: EventKind, run: () => void): ScheduledEvent {
    const atMs = timeMs <= this.nowMs ? this.nowMs : ceilToTick(timeMs)
    const event = { atMs, tie: this.#random.next(), sequence: this.#sequence++, kind, run }
    this.#heap.push(event)
    this.#siftUp(this.#heap.length - 1)
    return event
  }

  /** Harmless when it has run or was canceled before. */
  cancel(event: ScheduledEvent): void {
    const queued = event as QueuedEvent
    if (queued.run === null) return
    queued.run = null
    this.#canceled++
    if (this.#canceled > 1024 && this.#canceled * 2 > this.#heap.length) this.#compact()
  }

  /** When the next event is due; null when nothing waits. */
  nextAtMs(): number | null {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined) return null
      if (first.run !== null) return first.atMs
      this.#pop()
      this.#canceled--
    }
  }

  /** Runs one event; false when there is none. */
  step(): boolean {
    const atMs = this.nextAtMs()
    const event = atMs === null ? undefined : this.#pop()
    if (event === undefined || event.run === null) return false
    if (event.atMs > this.#eventMs) {
      this.#eventMs = event.atMs
      this.#atThisInstant = 0
    }
    this.#atThisInstant++
    if (this.#atThisInstant > this.#maxEventsPerInstant) {
      throw new Error(
        `Virtual time stands still at ${this.#eventMs} ms after ${this.#atThisInstant} events: something calls itself without waiting.`,
      )
    }
    const run = event.run
    event.run = null
    this.#executed++
    this.#counts[event.kind] = (this.#counts[event.kind] ?? 0) + 1
    this.#isInEvent = true
    try {
      run()
    } finally {
      this.#isInEvent = false
      this.#spentMs = 0
    }
    this.onStep?.()
    return true
  }

  /** Runs everything due up to and including `timeMs`; afterwards it is `timeMs`. */
  runUntil(timeMs: number): void {
    const endMs = ceilToTick(timeMs)
    for (;;) {
      const atMs = this.nextAtMs()
      if (atMs === null || atMs > endMs) break
      this.step()
    }
    if (endMs > this.#eventMs) {
      this.#eventMs = endMs
      this.#atThisInstant = 0
    }
  }

  #compact(): void {
    this.#heap = this.#heap.filter((event) => event.run !== null)
    this.#canceled = 0
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#siftDown(i)
  }

  #pop(): QueuedEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last !== undefined && heap.length > 0) {
      heap[0] = last
      this.#siftDown(0)
    }
    return first
  }

  #siftUp(from: number): void {
    const heap = this.#heap
    const event = heap[from]
    if (event === undefined) return
    let at = from
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt]
      if (parent === undefined || !isBefore(event, parent)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = event
  }

  #siftDown(from: number): void {
    const heap = this.#heap
    const event = heap[from]
    if (event === undefined) return
    let at = from
    for (;;) {
      let childAt = 2 * at + 1
      let child = heap[childAt]
      if (child === undefined) break
      const right = heap[childAt + 1]
      if (right !== undefined && isBefore(right, child)) {
        child = right
        childAt++
      }
      if (!isBefore(child, event)) break
      heap[at] = child
      at = childAt
    }
    heap[at] = event
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  if (a.tie !== b.tie) return a.tie < b.tie
  return a.sequence < b.sequence
}
