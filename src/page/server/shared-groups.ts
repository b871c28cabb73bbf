// Groups that somebody looks at, each watched once for all viewers, and a moment longer for those who load the page anew.

import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import { GroupStream } from './group-stream.ts'
import type { PageSource, WatchedGroup } from './source.ts'

const MAX_GROUPS = 16
const LINGER_MS = 10_000

interface Shared {
  readonly watched: WatchedGroup
  readonly stream: GroupStream
  viewers: number
  timer: TimerHandle | null
}

export interface Lease {
  readonly stream: GroupStream
  end(): void
}

export class SharedGroups {
  readonly #source: PageSource
  readonly #clock: Clock
  readonly #groups = new Map<string, Shared>()

  constructor(source: PageSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
    if (source.keeps && source.group !== null) this.#open(source.group)
  }

  /** A sentence: why this group is not to be seen. */
  take(group: string): Lease | string {
    const shared = this.#groups.get(group) ?? this.#open(group)
    if (typeof shared === 'string') return shared
    shared.viewers += 1
    if (shared.timer !== null) this.#clock.clearTimeout(shared.timer)
    shared.timer = null
    return { stream: shared.stream, end: () => this.#leave(group, shared) }
  }

  /** Undefined: nobody looks at it. */
  watchedNow(group: string): WatchedGroup | undefined {
    return this.#groups.get(group)?.watched
  }

  close(): void {
    for (const [group, shared] of this.#groups) this.#close(group, shared)
  }

  #open(group: string): Shared | string {
    if (this.#groups.size >= MAX_GROUPS && !this.#dropIdle())
      return `${MAX_GROUPS} groups are being watched: close some of those pages first.`
    const watched = this.#source.watch?.(group)
    if (watched === undefined) return `There is no group ${group} here.`
    const stream = new GroupStream(watched.model, this.#clock)
    const shared: Shared = { watched, stream, viewers: 0, timer: null }
    this.#groups.set(group, shared)
    return shared
  }

  #dropIdle(): boolean {
    const idle = [...this.#groups].find(([, { viewers }]) => viewers === 0)
    if (idle === undefined) return false
    this.#close(...idle)
    return true
  }

  #leave(group: string, shared: Shared): void {
    shared.viewers -= 1
    if (shared.viewers > 0 || (this.#source.keeps && group === this.#source.group)) return
    shared.timer = this.#clock.setTimeout(() => this.#close(group, shared), LINGER_MS)
  }

  #close(group: string, { stream, watched, timer }: Shared): void {
    if (timer !== null) this.#clock.clearTimeout(timer)
    this.#groups.delete(group)
    stream.close()
    watched.close()
  }
}
