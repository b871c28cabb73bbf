// The time of a group: what the leader stamps entries with. It never stands still for long and never runs ahead: whoever
// takes over goes on from the newest stamp that he has seen, by as much as has gone by on his own monotonic clock since. The
// clock on the wall is asked only by a member that has seen no stamp come by since it started.

import type { Clock } from '../runtime/clock.ts'

export class EntryClock {
  readonly #clock: Pick<Clock, 'nowMs' | 'wallMs'>
  /** Group time less monotonic time, as far as entries that came by have shown: at least so much. */
  #offsetMs = Number.NEGATIVE_INFINITY
  #newestMs = 0

  constructor(clock: Pick<Clock, 'nowMs' | 'wallMs'>) {
    this.#clock = clock
  }

  /** An entry with this stamp has been applied. @param isLive it came while this member ran, and was not in its log at the start */
  note(timeMs: number, isLive: boolean): void {
    this.#newestMs = Math.max(this.#newestMs, timeMs)
    if (isLive) this.hear(timeMs)
  }

  /**
   * A leader has stamped an entry so, and it has just come. Without it the time until it was committed and applied here, a
   * heartbeat perhaps, or a whole election, would be missing from the time of the group when this member takes over.
   */
  hear(timeMs: number): void {
    this.#offsetMs = Math.max(this.#offsetMs, timeMs - this.#clock.nowMs())
  }

  nowMs(): number {
    const monotonicMs = this.#clock.nowMs()
    if (this.#offsetMs === Number.NEGATIVE_INFINITY) this.#offsetMs = this.#clock.wallMs() - monotonicMs
    // Also an entry from before the start says how late it is at least.
    this.#offsetMs = Math.max(this.#offsetMs, this.#newestMs - monotonicMs)
    return monotonicMs + this.#offsetMs
  }
}
