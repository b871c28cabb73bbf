// The clocks of one simulated process: a monotonic one with a rate of its own, a wall clock that may jump, timers
// that fire late but never early, and deferred calls as turns of their own.

import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { Lane, SimProcess } from '../sim-process.ts'
import { ceilToTick, EventKind, floorToTick, type ScheduledEvent } from './scheduler.ts'
import { between, chance, drawLatencyMs, type Latency } from './sim-random.ts'

export interface SimClockOptions {
  readonly process: SimProcess
  /** Local milliseconds per true millisecond. Default 1. */
  readonly rate?: number
  /** What the monotonic clock shows at the start of this life. Default: drawn. */
  readonly originMs?: number
  /** How far the wall clock is off. */
  readonly wallOffsetMs?: number
  /** How late timers come, on top of their delay. */
  readonly timerLag?: Latency
  /** How long a deferred call may wait, so that messages can come in between. */
  readonly deferLag?: Latency
  /**
   * Probability that a timer which is due and is cleared in that very moment runs nevertheless (fault P11). The port
   * promises that it doesn't, so the default is 0.
   */
  readonly zombieTimerRate?: number
  /**
   * How much later it is at each look within a turn: whoever looks twice sees two times, and the turn takes as long.
   * Default 0: time stands still within a turn.
   */
  readonly lookMs?: number
}

/** 2024-01-01: only there so that log lines look like log lines. */
const WALL_EPOCH_MS = 1_704_067_200_000
const NO_LAG: Latency = { shape: 'constant', ms: 0 }

interface SimTimer {
  readonly run: () => void
  readonly dueMs: number
  event: ScheduledEvent | null
}

export class SimClock implements Clock {
  readonly #process: SimProcess
  readonly #timers = new Set<SimTimer>()
  readonly #deferred: (() => void)[] = []
  readonly #deferLane: Lane
  readonly #deferLag: Latency
  readonly #zombieTimerRate: number
  readonly #lookMs: number
  #timerLag: Latency
  #rate: number
  /** Local time `#localBaseMs` was true time `#trueBaseMs`. */
  #localBaseMs: number
  #trueBaseMs: number
  #shownMs = 0
  #wallOffsetMs: number

  constructor(options: SimClockOptions) {
    this.#process = options.process
    this.#rate = options.rate ?? 1
    this.#localBaseMs = floorToTick(options.originMs ?? between(options.process.random, 0, 1_000_000))
    this.#trueBaseMs = options.process.scheduler.nowMs
    this.#wallOffsetMs = options.wallOffsetMs ?? 0
    this.#timerLag = options.timerLag ?? NO_LAG
    this.#deferLag = options.deferLag ?? NO_LAG
    this.#zombieTimerRate = options.zombieTimerRate ?? 0
    this.#lookMs = options.lookMs ?? 0
    this.#deferLane = { name: `${options.process.id} deferred` }
    this.#process.onDeath(() => this.#forgetAll())
  }

  nowMs(): number {
    if (this.#lookMs > 0) this.#process.spend(this.#lookMs)
    const elapsedMs = this.#trueMs - this.#trueBaseMs
    const localMs = floorToTick(this.#localBaseMs + elapsedMs * this.#rate)
    // Rounding and changes of rate must never show as time going back.
    if (localMs > this.#shownMs) this.#shownMs = localMs
    return this.#shownMs
  }

  /** What others spend in their turns is none of this process's time. */
  get #trueMs(): number {
    const { inTurn, scheduler } = this.#process
    return inTurn ? scheduler.nowMs : scheduler.eventMs
  }

  wallMs(): number {
    return Math.floor(WALL_EPOCH_MS + this.#trueMs + this.#wallOffsetMs)
  }

  setTimeout(run: () => void, delayMs: number): TimerHandle {
    const timer: SimTimer = { run, dueMs: this.nowMs() + Math.max(0, delayMs), event: null }
    if (!this.#process.alive) return timer
    this.#timers.add(timer)
    this.#arm(timer, drawLatencyMs(this.#process.random, this.#timerLag))
    return timer
  }

  clearTimeout(handle: TimerHandle): void {
    const timer = handle as SimTimer | undefined
    if (timer === undefined || timer === null || !this.#timers.has(timer)) return
    if (timer.dueMs <= this.nowMs() && chance(this.#process.random, this.#zombieTimerRate)) return
    this.#timers.delete(timer)
    if (timer.event !== null) this.#process.scheduler.cancel(timer.event)
  }

  defer(run: () => void): void {
    if (!this.#process.alive) return
    this.#deferred.push(run)
    const lagMs = drawLatencyMs(this.#process.random, this.#deferLag)
    this.#process.scheduler.schedule(lagMs, EventKind.DEFER, () =>
      this.#process.turn(this.#deferLane, this.#runDeferred),
    )
  }

  /** Timers that wait. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Deferred calls that wait. */
  get pendingDeferred(): number {
    return this.#deferred.length
  }

  get rate(): number {
    return this.#rate
  }

  /** The monotonic clock runs at `rate` from now on; timers follow. */
  setRate(rate: number): void {
    const localMs = this.nowMs()
    this.#localBaseMs = localMs
    this.#trueBaseMs = this.#trueMs
    this.#rate = rate
    for (const timer of this.#timers) {
      // A timer without an event has come due and waits for its turn.
      if (timer.event === null) continue
      this.#process.scheduler.cancel(timer.event)
      this.#arm(timer, 0)
    }
  }

  /** The wall clock jumps; nothing that decides anything may notice. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  setTimerLag(lag: Latency): void {
    this.#timerLag = lag
  }

  readonly #runDeferred = (): void => {
    // The call itself is looked up when its turn comes: one event per call, first in, first out.
    this.#deferred.shift()?.()
  }

  #arm(timer: SimTimer, lagMs: number): void {
    const { scheduler } = this.#process
    const trueMs = ceilToTick((timer.dueMs - this.nowMs()) / this.#rate + lagMs)
    timer.event = scheduler.schedule(trueMs, EventKind.TIMER, () => {
      timer.event = null
      this.#process.turn(null, () => this.#fire(timer), true)
    })
  }

  #fire(timer: SimTimer): void {
    if (!this.#timers.delete(timer)) return
    // The last tick may be missing after rounding with a rate: the timer is due, so the clock says so.
    if (this.#shownMs < timer.dueMs) this.#shownMs = timer.dueMs
    timer.run()
  }

  #forgetAll(): void {
    for (const timer of this.#timers) {
      if (timer.event !== null) this.#process.scheduler.cancel(timer.event)
    }
    this.#timers.clear()
    this.#deferred.length = 0
  }
}
