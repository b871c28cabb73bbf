// The list of all groups: asked for while somebody looks at it, once for all.

import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import { sheltered } from '../../runtime/errors.ts'
import type { GroupSummary } from '../page-protocol.ts'

type Listener = (groups: readonly GroupSummary[]) => void

const ASK_MS = 2000

export class GroupList {
  readonly #ask: (() => Promise<readonly GroupSummary[]>) | undefined
  readonly #clock: Clock
  readonly #listeners = new Set<Listener>()
  #timer: TimerHandle | null = null
  #asking: Promise<readonly GroupSummary[]> | null = null

  constructor(ask: (() => Promise<readonly GroupSummary[]>) | undefined, clock: Clock) {
    this.#ask = ask
    this.#clock = clock
  }

  /** As it is now; whoever asks meanwhile gets the same. */
  now(): Promise<readonly GroupSummary[]> {
    this.#asking ??= (this.#ask?.() ?? Promise.resolve([])).finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  /** Returns the function that ends it. */
  listen(listener: Listener): () => void {
    if (this.#ask === undefined) return () => {}
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#look()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.close()
    }
  }

  close(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#timer = null
  }

  #look(): void {
    const next = (): void => {
      if (this.#listeners.size === 0) return
      this.close()
      this.#timer = this.#clock.setTimeout(() => this.#look(), ASK_MS)
    }
    this.now()
      .then((groups) => {
        for (const listener of [...this.#listeners])
          sheltered(
            () => listener(groups),
            () => this.#listeners.delete(listener),
          )
      })
      .then(next, next)
  }
}
