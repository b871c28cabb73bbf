// What exists only while a member leads: made when office is taken, dropped when it is left. "Do I lead?" is asked in one
// way: is there an office?

import type { AnyActorRef } from 'xstate'
import type { ReadRound } from '../../rules/read.ts'
import type { PeerId, Term } from '../../rules/types.ts'
import type { TimerHandle } from '../../runtime/clock.ts'
import { BallotBox } from '../replication/ballot-box.ts'
import type { PeerProgress } from '../replication/peer-progress.ts'
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
  /** Counts who holds what, from the first entry of the term on. */
  readonly ballots: BallotBox
  readonly followers = new Map<PeerId, Followership>()
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

  constructor(term: Term, firstIndex: number) {
    this.term = term
    this.ballots = new BallotBox(firstIndex)
  }

  /** Reads that wait, in a round or for one. */
  get waitingReads(): number {
    return this.reads.length + (this.round?.reads.length ?? 0)
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
    return [...this.followers.values()].flatMap(({ replicator, heartbeat }) => [replicator, heartbeat])
  }
}
