// Watches over the processes whose members are followed here: one question for all groups that follow the same one, and none
// while it is heard.

import {
  heard,
  isAbsent,
  mayProbeEarly,
  nextProbeMs,
  type Presence,
  type ProbeVerdict,
  type Rhythm,
  settled,
  UNKNOWN_PRESENCE,
} from '../../rules/presence.ts'
import type { PeerId } from '../../rules/types.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { PresenceHandle, PresenceWish } from './peer-rpc.ts'

/** Asks the bus whether anybody listens at `to`. `done` is called once, never before it returns; it does not throw. */
export type AskBus = (
  group: string,
  to: PeerId,
  timeoutMs: number,
  done: (verdict: ProbeVerdict) => void,
) => void

const LOOK_AGAIN_MS = 1000
const NO_RHYTHM: Rhythm = { heartbeatMs: 0, wordMs: 0 }

interface Watched {
  presence: Presence
  readonly wishes: Set<PresenceWish>
  /** The shortest intervals of those who watch, as they were when they were looked at last. */
  rhythm: Rhythm
  lookedMs: number
  asking: boolean
  timer: TimerHandle | null
}

export class PresenceWatch {
  readonly #clock: Clock
  readonly #ask: AskBus
  readonly #shelter: (run: () => void) => void
  readonly #watched = new Map<PeerId, Watched>()

  /** @param shelter runs what a stranger wrote, and keeps what it throws from the others */
  constructor(clock: Clock, ask: AskBus, shelter: (run: () => void) => void) {
    this.#clock = clock
    this.#ask = ask
    this.#shelter = shelter
  }

  /** Something came from this process. */
  heard(peer: PeerId): void {
    const watched = this.#watched.get(peer)
    if (watched !== undefined) watched.presence = heard(watched.presence, this.#clock.nowMs())
  }

  /** The connection to the bus was lost: who is there has to be learned anew. */
  forget(): void {
    for (const watched of this.#watched.values()) watched.presence = UNKNOWN_PRESENCE
  }

  watch(peer: PeerId, wish: PresenceWish): PresenceHandle {
    let watched = this.#watched.get(peer)
    if (watched === undefined) {
      const presence = heard(UNKNOWN_PRESENCE, this.#clock.nowMs())
      const lookedMs = Number.NEGATIVE_INFINITY
      watched = { presence, wishes: new Set(), rhythm: NO_RHYTHM, lookedMs, asking: false, timer: null }
      this.#watched.set(peer, watched)
    }
    const { wishes } = watched
    wishes.add(wish)
    watched.lookedMs = Number.NEGATIVE_INFINITY
    this.#arm(peer, watched)
    const of = watched
    return {
      get isAbsent() {
        return isAbsent(of.presence)
      },
      get watchers() {
        return wishes.size
      },
      askNow: () => this.#askNow(peer, of),
      stop: () => {
        wishes.delete(wish)
        if (wishes.size === 0) this.#drop(peer, of)
      },
    }
  }

  /** The bus has said that nobody listens there, to somebody who asked for something else. */
  missed(peer: PeerId): void {
    const watched = this.#watched.get(peer)
    if (watched !== undefined) this.#askNow(peer, watched)
  }

  close(): void {
    for (const [peer, watched] of this.#watched) this.#drop(peer, watched)
  }

  #askNow(peer: PeerId, watched: Watched): void {
    const { heartbeatMs } = this.#rhythm(watched)
    if (mayProbeEarly(watched.presence, heartbeatMs, this.#clock.nowMs())) this.#probe(peer, watched)
  }

  #drop(peer: PeerId, watched: Watched): void {
    if (this.#watched.get(peer) === watched) this.#watched.delete(peer)
    watched.wishes.clear()
    if (watched.timer !== null) this.#clock.clearTimeout(watched.timer)
    watched.timer = null
  }

  /** One timer for each process; what is heard does not move it. */
  #arm(peer: PeerId, watched: Watched): void {
    if (watched.timer !== null || watched.asking || watched.wishes.size === 0) return
    const nowMs = this.#clock.nowMs()
    const rhythm = this.#rhythm(watched)
    const dueMs = nextProbeMs(watched.presence, rhythm) ?? nowMs + rhythm.wordMs
    const look = (): void => {
      watched.timer = null
      const atMs = nextProbeMs(watched.presence, this.#rhythm(watched))
      if (atMs !== null && atMs <= this.#clock.nowMs()) this.#probe(peer, watched)
      else this.#arm(peer, watched)
    }
    // The mail of the turn is read first: this process may have slept.
    watched.timer = this.#clock.setTimeout(
      () => this.#clock.defer(look),
      Math.max(1, Math.ceil(dueMs - nowMs)),
    )
  }

  #probe(peer: PeerId, watched: Watched): void {
    const [first] = watched.wishes
    if (watched.asking || first === undefined) return
    if (watched.timer !== null) this.#clock.clearTimeout(watched.timer)
    watched.timer = null
    watched.asking = true
    const askedMs = this.#clock.nowMs()
    this.#ask(first.group, peer, this.#rhythm(watched).wordMs, (verdict) => {
      watched.asking = false
      if (this.#watched.get(peer) !== watched) return
      const before = isAbsent(watched.presence)
      watched.presence = settled(watched.presence, verdict, askedMs, this.#clock.nowMs())
      this.#arm(peer, watched)
      if (before || !isAbsent(watched.presence)) return
      for (const wish of [...watched.wishes]) this.#shelter(wish.absent)
    })
  }

  /** Many may watch the same process, and their intervals change seldom. */
  #rhythm(watched: Watched): Rhythm {
    const nowMs = this.#clock.nowMs()
    if (nowMs - watched.lookedMs < LOOK_AGAIN_MS) return watched.rhythm
    let [heartbeatMs, wordMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (const wish of watched.wishes) {
      heartbeatMs = Math.min(heartbeatMs, wish.heartbeatMs())
      wordMs = Math.min(wordMs, wish.wordMs())
    }
    watched.rhythm = { heartbeatMs, wordMs }
    watched.lookedMs = nowMs
    return watched.rhythm
  }
}
