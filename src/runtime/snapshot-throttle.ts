// What all groups of a process may spend on snapshots together: bytes per second, read for others and written for
// themselves, and installations at a time (braft SnapshotThrottle). The arithmetic is in rules/throttle.ts.

import { giveBackBytes, grantBytes, type ThrottleWindow, untilNextWindowMs } from '../rules/throttle.ts'
import type { Clock } from './clock.ts'

export interface ThrottleLimits {
  /** For reading and for writing, each. Infinity: no limit. */
  readonly bytesPerSecond: number
  /** Snapshots that are fetched from other members at a time. */
  readonly maxInstallations: number
}

export const DEFAULT_THROTTLE: ThrottleLimits = {
  bytesPerSecond: Number.POSITIVE_INFINITY,
  maxInstallations: 4,
}

/** One direction. */
export class ByteBudget {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #bytesPerSecond: () => number
  #window: ThrottleWindow = { startMs: Number.NEGATIVE_INFINITY, usedBytes: 0 }

  constructor(clock: Pick<Clock, 'nowMs'>, bytesPerSecond: () => number) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
  }

  /** As much of it as may be spent now; 0: ask again in `retryMs`. */
  take(bytes: number): number {
    const bytesPerSecond = this.#bytesPerSecond()
    if (bytesPerSecond === Number.POSITIVE_INFINITY) return bytes
    const grant = grantBytes(this.#window, bytesPerSecond, this.#clock.nowMs(), bytes)
    this.#window = grant.window
    return grant.bytes
  }

  /** Of what was taken at `takenMs`, this was not needed. */
  giveBack(takenMs: number, bytes: number): void {
    this.#window = giveBackBytes(this.#window, takenMs, bytes)
  }

  get retryMs(): number {
    return untilNextWindowMs(this.#clock.nowMs())
  }
}

export class SnapshotThrottle {
  readonly reading: ByteBudget
  readonly writing: ByteBudget
  #limits: ThrottleLimits
  #installations = 0

  constructor(clock: Pick<Clock, 'nowMs'>, limits: ThrottleLimits = DEFAULT_THROTTLE) {
    this.#limits = limits
    this.reading = new ByteBudget(clock, () => this.#limits.bytesPerSecond)
    this.writing = new ByteBudget(clock, () => this.#limits.bytesPerSecond)
  }

  get limits(): ThrottleLimits {
    return this.#limits
  }

  /** Counts from the next window, and for the next installation, on. */
  set limits(limits: ThrottleLimits) {
    this.#limits = limits
  }

  /** Whether one more installation may begin. */
  get hasRoom(): boolean {
    return this.#installations < this.#limits.maxInstallations
  }

  /** One has begun; `end` has to follow. */
  begin(): void {
    this.#installations++
  }

  end(): void {
    this.#installations--
  }
}
