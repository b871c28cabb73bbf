// What waits for a disk waits for so long and no longer: a disk that does not answer is found out.

import { systemClock, type TimerHandle } from '../../runtime/clock.ts'
import { type StorageDone, StorageError } from '../storage.ts'

export class Deadlines {
  readonly #dataDir: string
  readonly #timeoutMs: number
  readonly #report: (message: string) => void
  readonly #timers = new Set<TimerHandle>()

  constructor(dataDir: string, timeoutMs: number, report: (message: string) => void) {
    this.#dataDir = dataDir
    this.#timeoutMs = timeoutMs
    this.#report = report
  }

  /** Completes once: as it is completed, or with an error when the disk does not answer. */
  inTime(what: string, done: StorageDone): StorageDone {
    const end = (error: StorageError | null): void => {
      if (!this.#timers.delete(timer)) return
      systemClock.clearTimeout(timer)
      done(error)
    }
    const timer = systemClock.setTimeout(() => {
      const message = `The disk of ${this.#dataDir} has not answered for ${this.#timeoutMs} ms while ${what}: what was not confirmed may not be on disk.`
      this.#report(message)
      end(new StorageError('IO', message))
    }, this.#timeoutMs)
    this.#timers.add(timer)
    return end
  }

  /** Nobody waits any more. */
  clear(): void {
    for (const timer of this.#timers) systemClock.clearTimeout(timer)
  }
}
