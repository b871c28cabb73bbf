// What users ask of a member and what it may take: the batch of this turn, the bounds, and whether it takes anything
// at all. The door through which the proposal queue and the node handle see the node.

import type { QuorateError } from '../../errors.ts'
import type { Tuning } from '../../options.ts'
import type { LogEntry } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { QueryOutcome } from '../apply/apply-queue.events.ts'
import type { Proposal } from '../apply/closures.ts'
import { StateProbes } from '../apply/state-probes.ts'
import type { NodeEvent, PendingRead } from './node.events.ts'

/** What the proposal queue needs of the node. */
export interface IntakeWorld {
  readonly clock: Pick<Clock, 'defer'>
  readonly intake: Intake
  send(event: Extract<NodeEvent, { type: 'propose' | 'read' }>): void
}

/** Proposals and reads that came in one turn. */
export interface Gathered {
  readonly proposals: readonly Proposal[]
  readonly reads: readonly PendingRead[]
}

/** What reading the log for a user has come to. */
export type LogReadOutcome =
  | { readonly ok: true; readonly entry: LogEntry }
  | { readonly ok: false; readonly error: QuorateError }

const NOTHING_GATHERED: Gathered = { proposals: [], reads: [] }

export type Full = 'maxPendingProposals' | 'maxPendingBytes' | 'maxUndurableBytes'

export class Intake {
  #proposals: Proposal[] = []
  #reads: PendingRead[] = []
  #takenBefore = 0
  /** Taken and on the way into the chart: if that fails, they have got nowhere else. */
  inHand: Gathered = NOTHING_GATHERED
  /** Proposals that wait for their result, wherever they are, and the bytes of their commands. */
  pendingProposals = 0
  pendingBytes = 0
  /** Queries that wait for their answer, wherever they are. */
  readonly queries = new Set<(outcome: QueryOutcome) => void>()
  /** Whoever waits for an entry of the log. */
  readonly logReads = new Set<(outcome: LogReadOutcome) => void>()
  /** Whoever waits for the hash of a state. */
  readonly probes = new StateProbes()
  /** No new work from users. */
  closing = false

  /** Proposals that were ever taken, counted by the batch. */
  get taken(): number {
    return this.#takenBefore + this.#proposals.length
  }

  /** True for the first one of a turn. */
  addProposal(proposal: Proposal): boolean {
    this.#proposals.push(proposal)
    return this.#proposals.length + this.#reads.length === 1
  }

  /** True for the first one of a turn. */
  addRead(read: PendingRead): boolean {
    this.#reads.push(read)
    return this.#proposals.length + this.#reads.length === 1
  }

  /** Hands over what was gathered in this turn. */
  handOver(take: (gathered: Gathered) => void): void {
    this.inHand = this.takeGathered()
    take(this.inHand)
    this.inHand = NOTHING_GATHERED
  }

  /** Takes what was gathered; the next one is the first of its turn again. */
  takeGathered(): Gathered {
    const taken = { proposals: this.#proposals, reads: this.#reads }
    this.#takenBefore += this.#proposals.length
    this.#proposals = []
    this.#reads = []
    return taken
  }

  /** The bound that one more command of `bytes` would break; null when there is room. */
  boundFor(bytes: number, undurableBytes: number, tuning: Tuning): Full | null {
    if (this.pendingProposals >= tuning.maxPendingProposals) return 'maxPendingProposals'
    if (this.pendingProposals > 0 && this.pendingBytes + bytes > tuning.maxPendingBytes)
      return 'maxPendingBytes'
    return undurableBytes > tuning.maxUndurableBytes ? 'maxUndurableBytes' : null
  }
}
