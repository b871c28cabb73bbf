// The faults in force on one simulated disk: which writes are to fail, and which stores are held.

import type { StoreName } from './disk-image.ts'

export type FailTimes = 'once' | 'always'
export type FailPoint = 'write' | 'sync' | 'full' | 'read'

export interface DiskFailure {
  readonly store: StoreName
  readonly times: FailTimes
  readonly point: FailPoint
}

export interface Release {
  release(): void
}

export class DiskFaults {
  readonly #onRelease: () => void
  readonly #holdCounts = new Map<StoreName | 'all', number>()
  #failures: DiskFailure[] = []

  constructor(onRelease: () => void) {
    this.#onRelease = onRelease
  }

  fail(failure: DiskFailure): void {
    this.#failures.push(failure)
  }

  clearFailures(): void {
    this.#failures = []
  }

  /** The failure that hits one of `stores` at one of `points`, used up when it is for once. */
  take(stores: ReadonlySet<StoreName>, points: readonly FailPoint[]): DiskFailure | null {
    const at = this.#failures.findIndex(({ store, point }) => stores.has(store) && points.includes(point))
    const failure = this.#failures[at]
    if (failure === undefined) return null
    if (failure.times === 'once') this.#failures.splice(at, 1)
    return failure
  }

  /** Holds count: each ends by its own release. */
  hold(store: StoreName | 'all'): Release {
    this.#holdCounts.set(store, this.#count(store) + 1)
    let released = false
    return {
      release: () => {
        if (released) return
        released = true
        this.#holdCounts.set(store, this.#count(store) - 1)
        this.#onRelease()
      },
    }
  }

  holds(store: StoreName | 'all'): boolean {
    return this.#count(store) > 0
  }

  #count(store: StoreName | 'all'): number {
    return this.#holdCounts.get(store) ?? 0
  }
}
