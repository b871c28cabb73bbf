// What a node knows: one mutable object behind the chart, shared by reference with the node's other actors, each of which
// sees it through a door of its own (ApplyWorld, IntakeWorld, ReplicationWorld). What belongs to one activity lies in
// that activity's object (office, candidacy, following, intake, life). Term, vote and commit index are assigned here and
// nowhere else. Decisions are in src/rules.

import { QuorateError, type QuorateErrorDetails } from '../../errors.ts'
import type { RaftLog } from '../../log/raft-log.ts'
import { heartbeatIntervalMs, type Tuning } from '../../options.ts'
import { standingOf } from '../../rules/identity.ts'
import { assertCommitStep, assertHardStateStep } from '../../rules/invariants.ts'
import type { LeaseTerms, QuorumContact } from '../../rules/lease.ts'
import { members } from '../../rules/quorum.ts'
import type { RoleInTerm } from '../../rules/term.ts'
import type { Retiming } from '../../rules/timing.ts'
import type { ConfigurationEntry, HardState, Identity, LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import { messageOf, sheltered, toError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { randomInt } from '../../runtime/random.ts'
import type { StateMachine } from '../../state-machine.ts'
import type { Role } from '../../status.ts'
import type { GroupStore, StoredGroup } from '../../storage/storage.ts'
import type { Reply, RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import type {
  RequestOf,
  ResponseOf,
  RpcMethod,
  SentResponseOf,
} from '../../transport/wire/messages/registry.ts'
import type { ApplyQueueEvent, ExclusiveTask } from '../apply/apply-queue.events.ts'
import type { ApplyWorld } from '../apply/apply-world.ts'
import { ClosureQueue } from '../apply/closures.ts'
import { Membership } from '../membership/membership.ts'
import type { ReplicationWorld } from '../replication/replication-world.ts'
import { FileService } from '../snapshot/file-service.ts'
import type { SnapshotEvent } from '../snapshot/snapshot.events.ts'
import type { SnapshotWorld } from '../snapshot/snapshot-world.ts'
import { Snapshots } from '../snapshot/snapshots.ts'
import { Candidacy } from './candidacy.ts'
import { Counters } from './counters.ts'
import { Following } from './following.ts'
import { Handover } from './handover.ts'
import { Intake, type IntakeWorld } from './intake.ts'
import { Life, tellIfActive } from './life.ts'
import type { NodeEvent } from './node.events.ts'
import type { NodeInput } from './node.input.ts'
import type { Office } from './office.ts'
import { Outbox } from './outbox.ts'

export class NodeCore implements ApplyWorld, IntakeWorld, ReplicationWorld, SnapshotWorld {
  readonly input: NodeInput
  readonly group: string
  readonly id: PeerId
  tuning: Tuning
  readonly clock: Clock
  readonly logger: Logger
  readonly stateMachine: StateMachine
  readonly outbox: Outbox
  readonly closures = new ClosureQueue()
  readonly exclusiveTasks = new Set<ExclusiveTask>()

  readonly life: Life
  readonly intake = new Intake()
  readonly candidacy = new Candidacy()
  readonly following = new Following()
  readonly membership = new Membership()
  readonly handover = new Handover()
  readonly snapshots = new Snapshots()
  readonly files = new FileService(this)
  readonly counters = new Counters()
  /** Exists while this member leads, and only then. */
  office: Office | null = null

  role: Role = 'uninitialized'
  leader: PeerId | null = null
  /** In one word, why the role is what it is. */
  reason = 'START'
  configuration: ConfigurationEntry = { peers: [], oldPeers: [], id: { index: 0, term: 0 } }
  appliedIndex: LogIndex = 0
  stored: StoredGroup | null = null

  #term: Term = 0
  #votedFor: PeerId | null = null
  #commitIndex: LogIndex = 0
  #versions = 0
  #log: RaftLog | null = null
  #store: GroupStore | null = null

  constructor(input: NodeInput) {
    this.input = input
    this.group = input.group
    this.id = input.id
    this.tuning = input.tuning
    this.clock = input.clock
    this.logger = input.logger
    this.stateMachine = input.stateMachine
    this.life = new Life(input.started)
    this.outbox = new Outbox((thrown) => this.send({ type: 'fatal', error: toError(thrown) }))
  }

  get term(): Term {
    return this.#term
  }

  get votedFor(): PeerId | null {
    return this.#votedFor
  }

  get commitIndex(): LogIndex {
    return this.#commitIndex
  }

  get gone(): boolean {
    return this.life.gone
  }

  /** Timeouts may be set anew while the node runs (rules/timing.ts). */
  retime(timing: Retiming): void {
    this.tuning = { ...this.tuning, ...timing }
  }

  /** Numbers campaigns and read rounds: never reused, so that late answers find nobody. */
  nextVersion(): number {
    return ++this.#versions
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

  /** What comes late, for a node that has ended, is nobody's any more. */
  send(event: NodeEvent): void {
    const { self } = this.life
    if (!this.gone && self?.getSnapshot().status === 'active') self.send(event)
  }

  toSnapshots(event: SnapshotEvent): void {
    tellIfActive(this.life.snapshotExecutor, event)
  }

  toApplyQueue(event: ApplyQueueEvent): void {
    tellIfActive(this.life.applyQueue, event)
  }

  /** Calls a completion, a listener, a reply: whatever it throws is logged and stops nobody. */
  shelter(run: () => unknown): void {
    sheltered(run, this.completionThrew)
  }

  readonly completionThrew = (thrown: unknown): void =>
    this.logger.error({ group: this.group, error: messageOf(thrown) }, 'A completion callback threw.')

  /** Neither leads nor stands for election. */
  get isFollower(): boolean {
    return this.office === null && this.candidacy.vote === null
  }

  /** Who this node is, to the rules about terms and senders. */
  get roleInTerm(): RoleInTerm {
    const seeker = this.candidacy.vote === null ? 'follower' : 'candidate'
    return { role: this.office === null ? seeker : 'leader', term: this.#term, leader: this.leader }
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
      contactMs: (peer) => {
        const progress = this.office?.followers.get(peer)?.progress
        return progress !== undefined && this.counts(peer, progress.identity) ? progress.lastContactMs : never
      },
    }
  }

  /** Of the own files; 0: their storage draws none. */
  get identity(): Identity {
    return this.stored?.identity ?? 0
  }

  /** Does what this member says count, now that it speaks of these files? */
  counts(peer: PeerId, told: Identity): boolean {
    return this.trusted.includes(peer) || standingOf(this.configuration, peer, told) !== 'newcomer'
  }

  get trusted(): readonly PeerId[] {
    return this.input.trusted ?? []
  }

  get heartbeatMs(): number {
    return heartbeatIntervalMs(this.tuning)
  }

  /** A timer that comes later than this shows that the process was held up. */
  get heldUpAfterMs(): number {
    return this.heartbeatMs / 2
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

  /** Term and vote as they were found on disk, or repaired. Only once, before anything is said. */
  restoreHardState({ term, votedFor }: HardState): void {
    this.#term = term
    this.#votedFor = votedFor
  }

  /**
   * Takes a term and a vote, in memory now and on disk as fast as it goes. Until it is durable nothing leaves the
   * outbox. Returns the version that `hardState.durable` will name.
   */
  adopt(term: Term, votedFor: PeerId | null): number {
    assertHardStateStep({ term: this.#term, votedFor: this.#votedFor }, { term, votedFor })
    this.#term = term
    this.#votedFor = votedFor
    const version = this.outbox.hold()
    this.#store?.saveHardState({ term, votedFor }, (error) =>
      this.send(
        error === null ? { type: 'hardState.durable', version } : { type: 'hardState.failed', error },
      ),
    )
    return version
  }

  commitTo(index: LogIndex): void {
    if (index === this.#commitIndex) return
    assertCommitStep(this.#commitIndex, index, this.log.lastIndex)
    this.counters.committed(this.#commitIndex, index, this.#term, this.clock.nowMs())
    this.#commitIndex = index
    for (const event of this.intake.probes.upTo(index)) this.toApplyQueue(event)
  }

  /** A call to another member. Waits in the outbox until what it says is durable. */
  call<M extends RpcMethod>(
    to: PeerId,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void {
    this.outbox.post(() => {
      if (this.gone) return
      this.input.rpc.call(this.group, to, method, request, timeoutMs, (outcome) => {
        if (!this.gone) done(outcome)
      })
    })
  }

  /** An answer to another member. Waits in the outbox until what it says is durable. */
  answer(reply: Reply, response: SentResponseOf<RpcMethod>): void {
    this.outbox.post(() => {
      if (!this.gone) reply({ ok: true, response })
    })
  }

  error(code: QuorateError['code'], message: string, details: QuorateErrorDetails = {}): QuorateError {
    return new QuorateError(code, message, { leader: this.leader, ...details })
  }

  /** For inspectors: what a person wants to see, without the log. */
  toJSON(): Readonly<Record<string, unknown>> {
    return {
      lastIndex: this.#log?.lastIndex ?? 0,
      ...{ id: this.id, group: this.group, role: this.role, term: this.#term },
      ...{ votedFor: this.#votedFor, leader: this.leader, peers: this.configuration.peers },
      ...{ commitIndex: this.#commitIndex, appliedIndex: this.appliedIndex },
    }
  }
}
