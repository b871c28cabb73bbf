// What a node knows: one mutable object behind the chart, shared by reference with the node's other actors. It holds
// values and does the small steps that several actions share; decisions are in src/rules.

import type { AnyActorRef } from 'xstate'
import { QuorateError, type QuorateErrorDetails } from '../../errors.ts'
import type { RaftLog } from '../../log/raft-log.ts'
import { heartbeatIntervalMs, type Tuning } from '../../options.ts'
import type { Campaign } from '../../rules/election.ts'
import { assertCommitStep, assertHardStateStep } from '../../rules/invariants.ts'
import {
  type FollowerLease,
  type LeaseTerms,
  NO_FOLLOWER_LEASE,
  type QuorumContact,
} from '../../rules/lease.ts'
import { members } from '../../rules/quorum.ts'
import type { ReadRound } from '../../rules/read.ts'
import type { RoleInTerm } from '../../rules/term.ts'
import type { Configuration, ConfigurationEntry, LogIndex, PeerId, Term } from '../../rules/types.ts'
import { NOTHING } from '../../rules/types.ts'
import type { VoteDecision } from '../../rules/vote.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type Random, randomInt } from '../../runtime/random.ts'
import type { StateMachine } from '../../state-machine.ts'
import type { Role } from '../../status.ts'
import type { GroupStore, Storage, StoredGroup } from '../../storage/storage.ts'
import type { PeerRpc, Reply, RequestHandler, RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import type {
  RequestOf,
  ResponseOf,
  RpcMethod,
  SentResponseOf,
} from '../../transport/wire/messages/registry.ts'
import type { ApplyQueueEvent, QueryOutcome } from '../apply/apply-queue.events.ts'
import { ClosureQueue, type Proposal } from '../apply/closures.ts'
import type { BallotBox } from '../replication/ballot-box.ts'
import type { PeerProgress } from '../replication/peer-progress.ts'
import type { ReplicationWorld } from '../replication/replication-world.ts'
import type { NodeEvent, PendingRead } from './node.events.ts'
import { Outbox } from './outbox.ts'

/** The world and the wishes that a node is started with. */
export interface NodeInput {
  readonly group: string
  readonly id: PeerId
  readonly initialConfiguration: Configuration
  readonly tuning: Tuning
  readonly stateMachine: StateMachine
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly storage: Storage
  readonly rpc: PeerRpc
  /** Joins the routing table of the host; throws when the group is already carried. */
  readonly join: (handler: RequestHandler) => { stop(): void }
  /** Called once: the node takes part in its group, or could not be started. */
  readonly started: (error: Error | null) => void
}

/** Proposals and reads that came in one turn. */
export interface Gathered {
  proposals: Proposal[]
  reads: PendingRead[]
}

/** An append whose acknowledgement waits for the disk. */
export interface PendingAck {
  readonly term: Term
  readonly matchIndex: LogIndex
  readonly reply: Reply
}

/** A leader's other actors, one pair per follower. */
export interface Followership {
  readonly progress: PeerProgress
  readonly replicator: AnyActorRef
  readonly heartbeat: AnyActorRef
}

export class NodeCore implements ReplicationWorld {
  readonly input: NodeInput
  readonly group: string
  readonly id: PeerId
  readonly tuning: Tuning
  readonly clock: Clock
  readonly outbox = new Outbox()
  readonly closures = new ClosureQueue()
  /** What the proposal queue has gathered in this turn. */
  readonly gathered: Gathered = { proposals: [], reads: [] }
  /** Proposals that wait for their result, wherever they are. */
  pendingProposals = 0
  /** Queries that wait for their answer, wherever they are. */
  readonly queries = new Set<(outcome: QueryOutcome) => void>()

  role: Role = 'uninitialized'
  term: Term = 0
  votedFor: PeerId | null = null
  leader: PeerId | null = null
  /** In one word, why the role is what it is. */
  reason = 'START'
  failure: Error | null = null

  configuration: ConfigurationEntry = { peers: [], oldPeers: [], id: NOTHING }
  commitIndex: LogIndex = 0
  appliedIndex: LogIndex = 0
  /** As far as a current leader has vouched for commitment and for this log; counts once durable. */
  vouchedCommitIndex: LogIndex = 0
  pendingAcks: PendingAck[] = []

  followerLease: FollowerLease = NO_FOLLOWER_LEASE
  preVote: Campaign | null = null
  vote: Campaign | null = null
  /** The verdict on the vote request that is being dealt with. */
  voteVerdict: {
    readonly event: object
    readonly decision: VoteDecision
    readonly released: boolean
  } | null = null
  /** Numbers campaigns and read rounds: never reused, so that late answers find nobody. */
  versions = 0
  /** The hard-state record that carries the own candidacy. */
  candidacyVersion = 0

  ballots: BallotBox | null = null
  readonly followers = new Map<PeerId, Followership>()
  reads: PendingRead[] = []
  /** Runs when an unconfirmed round is to be asked again. */
  roundTimer: TimerHandle | null = null
  round: (ReadRound & { readonly reads: readonly PendingRead[]; readonly unanswered: Set<PeerId> }) | null =
    null

  /** The step of the start that is going on: named when it fails. */
  step: 'openingLog' | 'loadingSnapshot' | 'checkingConsistency' | 'loadingMeta' | 'joiningGroup' =
    'openingLog'
  #started = false
  /** Set by the chart's `init`; the node's own actor. */
  self: AnyActorRef | null = null
  proposalQueue: AnyActorRef | null = null
  applyQueue: AnyActorRef | null = null
  logActor: AnyActorRef | null = null
  route: { stop(): void } | null = null
  /** What listeners were told last. */
  announcedLeader: { readonly leader: PeerId | null; readonly term: Term } = { leader: null, term: 0 }
  /** A successor has been told to campaign, and its answer is awaited. */
  farewell = false
  /** No new work from users. */
  closing = false
  /** Vanished, as if the process had been killed: whatever still calls back finds nobody. */
  gone = false
  stored: StoredGroup | null = null
  #log: RaftLog | null = null
  #store: GroupStore | null = null

  constructor(input: NodeInput) {
    this.input = input
    this.group = input.group
    this.id = input.id
    this.tuning = input.tuning
    this.clock = input.clock
  }

  attachLog(log: RaftLog, store: GroupStore, stored: StoredGroup): void {
    this.#log = log
    this.#store = store
    this.stored = stored
  }

  /** Exists from `loadingSnapshot` on. */
  get log(): RaftLog {
    if (this.#log === null) throw new Error('The log is not open.')
    return this.#log
  }

  get hasLog(): boolean {
    return this.#log !== null
  }

  get store(): GroupStore | null {
    return this.#store
  }

  send(event: NodeEvent): void {
    if (!this.gone) this.self?.send(event)
  }

  /** Tells the host, once, that the node takes part in its group, or why it could not be started. */
  tellStarted(error: Error | null): void {
    if (this.#started) return
    this.#started = true
    this.input.started(error)
  }

  toApplyQueue(event: ApplyQueueEvent): void {
    this.applyQueue?.send(event)
  }

  /** Who this node is, to the rules about terms and senders. */
  get roleInTerm(): RoleInTerm {
    const role = this.role === 'leader' || this.role === 'candidate' ? this.role : 'follower'
    return { role, term: this.term, leader: this.leader }
  }

  get leaseTerms(): LeaseTerms {
    const { electionTimeoutMs, maxClockDriftMs, leaderLease } = this.tuning
    return { electionTimeoutMs, maxClockDriftMs, leasesOn: leaderLease }
  }

  get contact(): QuorumContact {
    const never = Number.NEGATIVE_INFINITY
    return {
      configuration: this.configuration,
      self: this.id,
      contactMs: (peer) => this.followers.get(peer)?.progress.lastContactMs ?? never,
    }
  }

  get heartbeatMs(): number {
    return heartbeatIntervalMs(this.tuning)
  }

  /** Everybody else who votes. */
  get others(): readonly PeerId[] {
    return members(this.configuration).filter((peer) => peer !== this.id)
  }

  drawn(): number {
    return this.input.random.next()
  }

  drawInt(min: number, max: number): number {
    return randomInt(this.input.random, min, max)
  }

  /**
   * Takes a term and a vote, in memory now and on disk as fast as it goes. Until it is durable nothing leaves the
   * outbox. Returns the version that `hardState.durable` will name.
   */
  adopt(term: Term, votedFor: PeerId | null): number {
    assertHardStateStep({ term: this.term, votedFor: this.votedFor }, { term, votedFor })
    this.term = term
    this.votedFor = votedFor
    const version = this.outbox.hold()
    this.#store?.saveHardState({ term, votedFor }, (error) =>
      this.send(
        error === null ? { type: 'hardState.durable', version } : { type: 'hardState.failed', error },
      ),
    )
    return version
  }

  commitTo(index: LogIndex): void {
    if (index === this.commitIndex) return
    assertCommitStep(this.commitIndex, index, this.log.lastIndex)
    this.commitIndex = index
    this.toApplyQueue({ type: 'committed', index })
  }

  /** A call to another member. Waits in the outbox until what it says is durable. */
  call<M extends RpcMethod>(
    to: PeerId,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void {
    this.outbox.post(() =>
      this.input.rpc.call(this.group, to, method, request, timeoutMs, (outcome) => {
        if (!this.gone) done(outcome)
      }),
    )
  }

  /** An answer to another member. Waits in the outbox until what it says is durable. */
  answer(reply: Reply, response: SentResponseOf<RpcMethod>): void {
    this.outbox.post(() => reply({ ok: true, response }))
  }

  error(code: QuorateError['code'], message: string, details: QuorateErrorDetails = {}): QuorateError {
    return new QuorateError(code, message, { leader: this.leader, ...details })
  }

  /** For inspectors: what a person wants to see, without the log. */
  toJSON(): Readonly<Record<string, unknown>> {
    return {
      id: this.id,
      group: this.group,
      role: this.role,
      term: this.term,
      votedFor: this.votedFor,
      leader: this.leader,
      peers: this.configuration.peers,
      commitIndex: this.commitIndex,
      appliedIndex: this.appliedIndex,
      lastIndex: this.#log?.lastIndex ?? 0,
    }
  }
}
