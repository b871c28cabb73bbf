// How long entries of a leader take to be committed: one entry at a time is followed, so it costs nothing per entry.

import type { NodeCore } from '../../actors/node/node.core.ts'
import type { FeedStatus } from '../../protocol/feed-protocol.ts'
import type { Clock } from '../../runtime/clock.ts'

const MAX_SAMPLES = 256

export class CommitSampler {
  readonly #core: NodeCore
  readonly #clock: Pick<Clock, 'nowMs'>
  #followed: { readonly index: number; readonly sinceMs: number; readonly term: number } | null = null
  #samples: number[] = []

  constructor(core: NodeCore, clock: Pick<Clock, 'nowMs'>) {
    this.#core = core
    this.#clock = clock
  }

  /** The member has dealt with an event: its log may have grown, or be committed further. */
  look(): void {
    const { office, term, commitIndex, hasLog } = this.#core
    if (office === null || !hasLog) {
      this.#followed = null
      return
    }
    const followed = this.#followed
    if (followed !== null && followed.term !== term) this.#followed = null
    else if (followed !== null && followed.index <= commitIndex) {
      this.#followed = null
      if (this.#samples.length < MAX_SAMPLES) this.#samples.push(this.#clock.nowMs() - followed.sinceMs)
    }
    const { lastIndex } = this.#core.log
    if (lastIndex > commitIndex) this.#followed ??= { index: lastIndex, sinceMs: this.#clock.nowMs(), term }
  }

  /** Of the samples since this was asked last. */
  take(): FeedStatus['commitLatency'] {
    const sorted = this.#samples.sort((a, b) => a - b)
    this.#samples = []
    const at = (share: number): number => round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
    return sorted.length === 0 ? null : { samples: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
