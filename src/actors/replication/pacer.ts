// Keeps count of the old entries that are on their way to one follower, and of what they cost the others. The rule is
// in rules/pacing.ts.

import { FIRST_PACE, mayGoOn, type Pace, paceAfter } from '../../rules/pacing.ts'
import type { LogIndex } from '../../rules/types.ts'
import { CommitLatency } from './commit-latency.ts'
import type { Frame } from './peer-progress.ts'

interface BurstUnderWay {
  bytes: number
  /** The end of the log when it began: a longer one tells that others write. */
  readonly lastIndex: LogIndex
}

export class Pacer {
  readonly #latency = new CommitLatency()
  #pace: Pace = FIRST_PACE
  #burst: BurstUnderWay | null = null
  #turnBytes = 0

  /** How long others are to have the way now; 0: go on. */
  get pauseMs(): number {
    return this.#pace.pauseMs
  }

  get mayGoOn(): boolean {
    const sent = { inBurst: this.#burst?.bytes ?? 0, inTurn: this.#turnBytes }
    return this.#pace.pauseMs === 0 && mayGoOn(this.#pace, sent)
  }

  /** To be called whenever log or commit index may have moved. */
  look(lastIndex: LogIndex, commitIndex: LogIndex, nowMs: number): void {
    this.#latency.look(lastIndex, commitIndex, nowMs, this.#burst !== null)
  }

  /** Returns whether these are the first in this turn: then `turnEnded` has to follow when it is over. */
  sent(bytes: number, lastIndex: LogIndex): boolean {
    const isFirst = this.#turnBytes === 0
    this.#burst ??= { bytes: 0, lastIndex }
    this.#burst.bytes += Math.max(1, bytes)
    this.#turnBytes += Math.max(1, bytes)
    this.#latency.disturb()
    return isFirst
  }

  turnEnded(): void {
    this.#turnBytes = 0
  }

  /** All that was sent has been answered, `last` being the last of it. */
  answered(
    last: Frame,
    nowMs: number,
    roundTripMs: number,
    lastIndex: LogIndex,
    maxWindowBytes: number,
  ): void {
    const burst = this.#burst
    if (burst === null) return
    this.#burst = null
    const spent = {
      bytes: burst.bytes,
      tookMs: nowMs - last.sentMs - roundTripMs,
      othersWrote: lastIndex > burst.lastIndex,
      slowdown: this.#latency.slowdown,
    }
    this.#pace = paceAfter(this.#pace, spent, maxWindowBytes)
  }

  /** Others have had the way. */
  pauseEnded(): void {
    this.#pace = { ...this.#pace, pauseMs: 0 }
  }

  /** What is under way is forgotten. */
  reset(): void {
    this.#burst = null
    this.#latency.forget()
    this.#pace = FIRST_PACE
  }
}
