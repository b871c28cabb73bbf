// What exists only while a member leads: made when office is taken, dropped when it is left. "Do I lead?" is asked in one
// way: is there an office?

import type { AnyActorRef } from 'xstate'
import { NO_PREFERENCE, type Preference } from '../../rules/priority.ts'
import type { ReadRound } from '../../rules/read.ts'
import type { PeerId, Term } from '../../rules/types.ts'
import type { TimerHandle } from '../../runtime/clock.ts'
import { ConfigurationChange } from '../membership/configuration-change.ts'
import { BallotBox } from '../replication/ballot-box.ts'
import { LagWatch } from '../replication/lag-watch.ts'
import type { PeerProgress } from '../replication/peer-progress.ts'
import type { Transfer } from './handover.ts'
import type { PendingRead } from './node.events.ts'

/** A leader's other actors, one pair per follower. */
export interface Followership {
  readonly progress: PeerProgress
  readonly replicator: AnyActorRef
  readonly heartbeat: AnyActorRef
}

/** A round of heartbeats under way, with the reads that it will answer. */
export type Round = ReadRound & {
  readonly reads: readonly PendingRead[]
  readonly unanswered: Set<PeerId>
}

export class Office {
  readonly term: Term
  readonly sinceMs: number
  /** Who led the term before, if that is known here. */
  readonly leaderBefore: PeerId | null
  /** Counts who holds what, from the first entry of the term on. */
  readonly ballots: BallotBox
  readonly followers = new Map<PeerId, Followership>()
  /** Of the members, under way or not. */
  readonly change = new ConfigurationChange()
  /** Who lags, for the log. */
  readonly lag = new LagWatch()
  /** Reads that wait for the next round. */
  reads: PendingRead[] = []
  round: Round | null = null
  /** Runs when an unconfirmed round is to be asked again. */
  roundTimer: TimerHandle | null = null
  /** Since when this process has been running again after it had been held up; -Infinity: never was. */
  heldUpUntilMs = Number.NEGATIVE_INFINITY
  /** How often a quorum was found to be in touch. */
  quorumChecks = 0
  /** Check-quorum waits one heartbeat round before it judges again. */
  givesOneRound = false
  /** Whom this leader would rather see in its place. */
  preference: Preference = NO_PREFERENCE
  /** Leadership is on its way to another member; null: it is not. */
  transfer: Transfer | null = null
  /** The lease rests on contact that began no earlier than this. */
  leaseSinceMs = Number.NEGATIVE_INFINITY

  readonly #retired: AnyActorRef[] = []

  constructor(term: Term, firstIndex: number, sinceMs: number, leaderBefore: PeerId | null) {
    this.term = term
    this.sinceMs = sinceMs
    this.leaderBefore = leaderBefore
    this.ballots = new BallotBox(firstIndex)
  }

  /** Reads that wait, in a round or for one. */
  get waitingReads(): number {
    return this.reads.length + (this.round?.reads.length ?? 0)
  }

  /** Whoever of these was about to leave is followed anew: what is known of him is of the files that he had then. */
  readmit(peers: readonly PeerId[]): void {
    for (const peer of peers) {
      const follower = this.followers.get(peer)
      if (!this.change.comesBack(peer) || follower === undefined) continue
      this.followers.delete(peer)
      this.#retired.push(follower.replicator, follower.heartbeat)
    }
  }

  /** Actors that nobody needs any more. */
  takeRetired(): readonly AnyActorRef[] {
    return this.#retired.splice(0)
  }

  /** Takes every read that waits; nobody else will answer them. */
  takeReads(): readonly PendingRead[] {
    const taken = [...(this.round?.reads ?? []), ...this.reads]
    this.reads = []
    this.round = null
    return taken
  }

  /** All actors that end with the office. */
  get actors(): readonly AnyActorRef[] {
    const followers = [...this.followers.values()].flatMap(({ replicator, heartbeat }) => [
      replicator,
      heartbeat,
    ])
    const others = this.change.actor === null ? this.#retired : [...this.#retired, this.change.actor]
    return [...followers, ...others]
  }
}
