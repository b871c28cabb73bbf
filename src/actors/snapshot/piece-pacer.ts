// Lets pieces of snapshots out in bursts, as fast as the commits of the group can bear. Requests wait here in between;
// the rule is in rules/pacing.ts.

import {
  FIRST_PIECES_PACE,
  PIECES_BURST_BYTES,
  type PiecesPace,
  piecesPaceAfter,
} from '../../rules/pacing.ts'
import type { LogIndex } from '../../rules/types.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import { CommitLatency } from '../replication/commit-latency.ts'

/** Requests that wait, of all followers together: a follower has four under way. */
const MAX_WAITING = 16
/** Whoever has got the last piece of a burst asks for the next one; the one who does not is not waited for any longer. */
const NEXT_REQUEST_MS = 20

/** What the pacer looks at. */
export interface PacedWorld {
  readonly clock: Clock
  readonly commitIndex: LogIndex
  readonly log: { readonly lastIndex: LogIndex }
  readonly tuning: { readonly appendTimeoutMs: number }
}

interface BurstUnderWay {
  readonly startMs: number
  readonly lastIndex: LogIndex
  bytes: number
  unanswered: number
}

export class PiecePacer {
  readonly #world: PacedWorld
  readonly #latency = new CommitLatency()
  readonly #waiting: (() => number)[] = []
  #pace: PiecesPace = FIRST_PIECES_PACE
  #burst: BurstUnderWay | null = null
  /** Until the next burst, or until nobody is believed to ask again. */
  #timer: TimerHandle | null = null
  #isPausing = false

  constructor(world: PacedWorld) {
    this.#world = world
  }

  /** To be called when log or commit index have moved, while snapshots are sent. */
  look(): void {
    const { log, commitIndex, clock } = this.#world
    this.#latency.look(log.lastIndex, commitIndex, clock.nowMs(), this.#burst !== null)
  }

  /**
   * Serves a request now or in a while: `read` begins and returns how many bytes it reads, 0 when it has refused; each
   * that reads is followed by `answered`. False: too many wait.
   */
  request(read: () => number): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false
    this.#waiting.push(read)
    const isAnswered = this.#burst?.unanswered === 0
    if (isAnswered && this.#isFull) this.#endBurst(this.#world.clock.nowMs())
    else this.#serve()
    return true
  }

  answered(): void {
    const { clock, log } = this.#world
    const burst = this.#burst
    if (burst === null) return
    burst.unanswered--
    if (burst.unanswered > 0) return
    const answeredMs = clock.nowMs()
    // Nobody to give way to.
    if (log.lastIndex === burst.lastIndex) return this.#endBurst(answeredMs)
    this.#stopTimer()
    this.#timer = clock.setTimeout(() => this.#endBurst(answeredMs), NEXT_REQUEST_MS)
  }

  /** Those who wait are not answered. */
  close(): void {
    this.#stopTimer()
    this.#waiting.length = 0
    this.#burst = null
  }

  get #isFull(): boolean {
    return this.#burst !== null && this.#burst.bytes >= PIECES_BURST_BYTES
  }

  #serve(): void {
    while (!this.#isPausing && !this.#isFull) {
      const read = this.#waiting.shift()
      if (read === undefined) return
      this.#stopTimer()
      const { clock, log } = this.#world
      this.#burst ??= { startMs: clock.nowMs(), lastIndex: log.lastIndex, bytes: 0, unanswered: 0 }
      const burst = this.#burst
      this.#latency.disturb()
      burst.unanswered++
      const bytes = read()
      burst.bytes += bytes
      if (bytes === 0) this.answered()
    }
  }

  #endBurst(endMs: number): void {
    this.#stopTimer()
    const burst = this.#burst
    if (burst === null) return
    this.#burst = null
    const { clock, log, tuning } = this.#world
    const spent = {
      tookMs: endMs - burst.startMs,
      othersWrote: log.lastIndex > burst.lastIndex,
      slowdown: this.#latency.slowdown,
    }
    this.#pace = piecesPaceAfter(this.#pace, spent, tuning.appendTimeoutMs / 4)
    if (this.#pace.pauseMs === 0) return this.#serve()
    this.#isPausing = true
    this.#timer = clock.setTimeout(() => {
      this.#timer = null
      this.#isPausing = false
      this.#serve()
    }, this.#pace.pauseMs)
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#world.clock.clearTimeout(this.#timer)
    this.#timer = null
  }
}
