// Lets virtual time pass, step by step, and lets go on between two steps whoever waits: user code that answers later,
// and the script that awaits an answer.

import type { Scheduler } from './scheduler.ts'
import type { SimMember } from './sim-member.ts'

export interface TimeDriverOptions {
  readonly scheduler: Scheduler
  /** Throws what went wrong between two steps. */
  readonly raise: () => void
}

export class TimeDriver {
  /** Somebody may await an answer: they go on between two steps, in the order of the answers. */
  isAwaited = false
  readonly #scheduler: Scheduler
  readonly #raise: () => void
  /** Calls of user code that have not come back. */
  #waiting = 0

  constructor({ scheduler, raise }: TimeDriverOptions) {
    this.#scheduler = scheduler
    this.#raise = raise
  }

  async run(ms: number): Promise<void> {
    const endMs = this.#scheduler.nowMs + ms
    for (;;) {
      if (this.#waiting > 0) await this.#letUserCodeAnswer()
      if (!this.#step(endMs)) break
      if (this.isAwaited) await Promise.resolve()
    }
    this.#scheduler.runUntil(endMs)
    this.#raise()
  }

  async until(predicate: () => boolean, maxMs: number): Promise<boolean> {
    const endMs = this.#scheduler.nowMs + maxMs
    while (!predicate()) {
      if (this.#waiting > 0) await this.#letUserCodeAnswer()
      if (!this.#step(endMs)) return false
      if (this.isAwaited) await Promise.resolve()
    }
    this.#raise()
    return true
  }

  async settled<T>(promise: Promise<T>, maxMs: number): Promise<T> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    this.isAwaited = true
    if (await this.until(() => isSettled, maxMs)) return promise
    await yieldToUserCode()
    if (isSettled) return promise
    throw new Error(`Nothing came of it within ${maxMs} ms of virtual time.`)
  }

  /** What user code answers comes as a turn of its process: not while that is paused, never once it is dead. */
  later(member: SimMember, promise: PromiseLike<unknown>): PromiseLike<unknown> {
    this.#waiting++
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void): void => {
        if (!member.alive) this.#waiting--
        member.enter(() => {
          this.#waiting--
          settle()
        })
      }
      promise.then(
        (value) => answer(() => resolve(value)),
        (error: unknown) => answer(() => reject(error)),
      )
    })
  }

  /** False: nothing happens any more until `endMs`. */
  #step(endMs: number): boolean {
    const nextMs = this.#scheduler.nextAtMs()
    if (nextMs === null || nextMs > endMs) return false
    this.#scheduler.step()
    return true
  }

  async #letUserCodeAnswer(): Promise<void> {
    await yieldToUserCode()
    this.#raise()
  }
}

/** User code that answers later does so in microtasks and timers of the real world: let them pass. */
function yieldToUserCode(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
