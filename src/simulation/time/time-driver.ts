// Lets virtual time pass, step by step, and lets go on between two steps whoever waits: user code that answers later,
// and the script that awaits an answer.

import type { SimMember } from '../sim-member.ts'
import type { Scheduler } from './scheduler.ts'

export interface TimeDriverOptions {
  readonly scheduler: Scheduler
  /** Throws what went wrong between two steps. */
  readonly raise: () => void
  /** Code that works with promises has had its turn. */
  readonly wentOn?: () => void
}

export class TimeDriver {
  /** Somebody may await an answer: they go on between two steps, in the order of the answers. */
  isAwaited = false
  readonly #scheduler: Scheduler
  readonly #raise: () => void
  readonly #wentOn: () => void
  /** Calls of user code that have not come back. */
  #waiting = 0
  /** Runs that somebody awaits: while there is one, time passes anyway. */
  #runs = 0
  /** In this step promises may have settled whose owners go on before the next one. */
  #mayGoOn = false
  /** Answers that are awaited, by how to reject them. */
  readonly #wanted = new Set<(reason: unknown) => void>()
  #isDriving = false
  /** What a run has rejected with: nothing goes on after it. */
  #failure: unknown

  constructor({ scheduler, raise, wentOn = () => {} }: TimeDriverOptions) {
    this.#wentOn = wentOn
    this.#scheduler = scheduler
    this.#raise = raise
  }

  /** Code that works with promises had a turn. */
  mayGoOn(): void {
    this.#mayGoOn = true
  }

  run(ms: number): Promise<void> {
    return this.#asRun(async () => {
      const endMs = this.#scheduler.nowMs + ms
      for (;;) {
        if (this.#waiting > 0 || this.#mayGoOn) await this.#letUserCodeAnswer()
        if (!this.#step(endMs)) break
        if (this.isAwaited) await Promise.resolve()
      }
      this.#scheduler.runUntil(endMs)
      this.#raise()
    })
  }

  until(predicate: () => boolean, maxMs: number): Promise<boolean> {
    return this.#asRun(async () => {
      const endMs = this.#scheduler.nowMs + maxMs
      while (!predicate()) {
        if (this.#waiting > 0 || this.#mayGoOn) await this.#letUserCodeAnswer()
        if (!this.#step(endMs)) return false
        if (this.isAwaited) await Promise.resolve()
      }
      this.#raise()
      return true
    })
  }

  /**
   * An answer that comes in virtual time. A script may just await it: where nothing else lets time pass, it passes until
   * the answer is there. Rejects, too, when an invariant breaks meanwhile.
   */
  awaited<T>(start: (resolve: (value: T) => void) => void): Promise<T> {
    this.isAwaited = true
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#wanted.add(reject)
      this.#driveSoon()
      start((value) => {
        this.#wanted.delete(reject)
        resolve(value)
      })
    })
  }

  async #asRun<T>(run: () => Promise<T>): Promise<T> {
    this.#runs++
    try {
      return await run()
    } catch (error) {
      this.#failure = error
      throw error
    } finally {
      this.#runs--
      this.#driveSoon()
    }
  }

  /** After everything the script does at once: it may let time pass itself. */
  #driveSoon(): void {
    if (this.#isDriving || this.#failure !== undefined || this.#wanted.size === 0) return
    this.#isDriving = true
    setImmediate(() => void this.#drive())
  }

  async #drive(): Promise<void> {
    try {
      while (this.#runs === 0 && this.#wanted.size > 0) {
        const { size } = this.#wanted
        if (this.#waiting > 0 || this.#mayGoOn) await this.#letUserCodeAnswer()
        if (!this.#step(Number.POSITIVE_INFINITY)) throw new Error('Nothing can happen any more.')
        // Whoever has an answer goes on before anything else happens.
        if (this.#wanted.size < size) await yieldToUserCode()
        else await Promise.resolve()
      }
    } catch (error) {
      this.#failure = error
      for (const reject of this.#wanted) reject(error)
      this.#wanted.clear()
    } finally {
      this.#isDriving = false
    }
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
    this.#mayGoOn = false
    await yieldToUserCode()
    this.#wentOn()
    this.#raise()
  }
}

/** User code that answers later does so in microtasks and timers of the real world: let them pass. */
function yieldToUserCode(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
