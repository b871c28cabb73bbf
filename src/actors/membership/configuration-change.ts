// The change of membership of one leadership, as everything around its actor sees it: where it has got to, whom it waits for,
// and who is still to be told that he has left (braft ConfigurationCtx).

import type { AnyActorRef } from 'xstate'
import type { CatchUpVerdict, ChangeStage } from '../../rules/change.ts'
import type { Configuration, LogIndex, PeerId } from '../../rules/types.ts'
import type { PeerProgress } from '../replication/peer-progress.ts'
import type { AskedChange } from './change-world.ts'

/** A member that has left by the entry at `index`. */
interface Leaver {
  readonly index: LogIndex
  /** When that was first seen to be committed. */
  committedMs: number | null
  /** When it was first seen to hold the entry: what is sent after that tells it that the entry is committed. */
  heldMs: number | null
}

/** How far a member had got, and when it got there. */
interface Furthest {
  matchIndex: LogIndex
  snapshotIndex: LogIndex
  snapshotBytes: number
  atMs: number
}

export class ConfigurationChange {
  /** Null only before the office is entered. */
  actor: AnyActorRef | null = null
  stage: ChangeStage = 'none'
  /** What is wished; null: nothing, or what an earlier leader had begun. */
  target: Configuration | null = null
  /** Who is sent the log to be able to vote. */
  adding: readonly PeerId[] = []
  startedMs = 0
  /** How often each of them had answered by then: what counts is what they say now. */
  answers: ReadonlyMap<PeerId, number> = new Map()
  /** Those for whom the others wait in vain, and why, as it was seen last; null: for nobody. */
  inVain: Extract<CatchUpVerdict, { kind: 'failed' }> | null = null
  /** Who waits for this change; null: nobody. */
  asked: AskedChange | null = null
  readonly #leaving = new Map<PeerId, Leaver>()
  readonly #furthest = new Map<PeerId, Furthest>()

  /** Another one has to wait. */
  get isRunning(): boolean {
    return this.stage !== 'none'
  }

  /** Who is sent the log though the configuration in force does not name him. */
  get guests(): readonly PeerId[] {
    return [...this.adding, ...this.#leaving.keys()]
  }

  /** Nobody has got anywhere yet. */
  beginsAt(nowMs: number): void {
    this.startedMs = nowMs
    this.inVain = null
    this.#furthest.clear()
  }

  /** Since when it has got no further: falling back and catching up again is no progress. */
  standsStillSinceMs(peer: PeerId, progress: PeerProgress | undefined, nowMs: number): number {
    const { matchIndex = 0, installing } = progress ?? {}
    const { snapshotIndex = 0, doneBytes: snapshotBytes = 0 } = installing ?? {}
    const best = this.#furthest.get(peer) ?? {
      atMs: this.startedMs,
      ...{ matchIndex: 0, snapshotIndex: 0, snapshotBytes: 0 },
    }
    const isNewer = snapshotIndex > best.snapshotIndex
    const hasMore = snapshotIndex === best.snapshotIndex && snapshotBytes > best.snapshotBytes
    if (matchIndex > best.matchIndex || isNewer || hasMore) best.atMs = nowMs
    if (isNewer || hasMore) Object.assign(best, { snapshotIndex, snapshotBytes })
    best.matchIndex = Math.max(best.matchIndex, matchIndex)
    this.#furthest.set(peer, best)
    return best.atMs
  }

  /** Commit index, or what followers hold, may have moved. */
  moved(): void {
    if (this.isRunning) this.actor?.send({ type: 'moved' })
  }

  leaves(peer: PeerId, index: LogIndex): void {
    this.#leaving.set(peer, { index, committedMs: null, heldMs: null })
  }

  /** Returns whether this one was about to leave. */
  comesBack(peer: PeerId): boolean {
    return this.#leaving.delete(peer)
  }

  /**
   * Forgets who knows by now that he has left, and who has not answered for `patienceMs`: whoever is told stays quiet, and
   * whoever is not asks for votes in vain (trap T78). Returns whether anybody was forgotten.
   */
  sweep(
    nowMs: number,
    commitIndex: LogIndex,
    patienceMs: number,
    progressOf: (peer: PeerId) => PeerProgress | undefined,
  ): boolean {
    const before = this.#leaving.size
    for (const [peer, leaver] of this.#leaving) {
      if (leaver.index > commitIndex) continue
      leaver.committedMs ??= nowMs
      const progress = progressOf(peer)
      if (progress !== undefined && progress.matchIndex >= leaver.index) leaver.heldMs ??= nowMs
      const isTold =
        leaver.heldMs !== null && progress !== undefined && progress.lastContactMs > leaver.heldMs
      if (isTold || nowMs - leaver.committedMs > patienceMs) this.#leaving.delete(peer)
    }
    return this.#leaving.size < before
  }
}
