// The shapes that users of an embedded node see: host, node, options, results.

import type { AnyActorRef, InspectionEvent } from 'xstate'
import type { HostFigures } from './observability/figures.ts'
import type { TuningInput } from './options.ts'
import type { ChangeStage, MemberRole } from './rules/change.ts'
import type { LogIndex, PeerId, Priorities, SnapshotMeta, Term } from './rules/types.ts'
import type { Clock } from './runtime/clock.ts'
import type { Logger } from './runtime/logger.ts'
import type { Random } from './runtime/random.ts'
import type { ThrottleLimits } from './runtime/snapshot-throttle.ts'
import type { SnapshotFileInfo, StateMachine } from './state-machine.ts'
import type { NodeStatus, Role } from './status.ts'
import type { Storage } from './storage/storage.ts'
import type { Transport } from './transport/transport.ts'
import type { TraceContext } from './transport/wire/envelope.ts'

export interface HostOptions {
  /** This process's name on the bus, and the member id of every node it carries. */
  readonly id: PeerId
  /** Directory for the database. Created when absent, locked while open. Required unless `storage` is given. */
  readonly dataDir?: string
  /** Handed in storage is used and closed with the host. */
  readonly storage?: Storage
  /** The bus. Default: the in-process bus of this process, which every host of it shares. */
  readonly transport?: Transport
  /** First tokens of every subject. Default `quorate`. */
  readonly prefix?: string
  /** What snapshots of all groups together may take from disk and bus of this process. */
  readonly snapshotThrottle?: Partial<ThrottleLimits>
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: Random
}

export interface StartNodeOptions extends TuningInput {
  readonly group: string
  /** Initial configuration: used only when log and snapshot are empty, else a list that differs is logged. Empty: wait to be added. */
  readonly peers?: readonly PeerId[]
  readonly stateMachine: StateMachine
  /**
   * Members that count though they have come back with other files than the log knows them by: an operator vouches that
   * nothing is lost by it. For a group that has lost the files of so many that the rest is no majority; leave it out next time.
   */
  readonly trust?: readonly PeerId[]
  /** Sees every event and transition of the node's actors, as XState's `inspect` does. Must not throw; guarded. */
  readonly inspect?: (event: InspectionEvent) => void
}

export interface ApplyOptions {
  readonly signal?: AbortSignal
  /** The command is refused (TERM_MISMATCH) unless this is the current term when it reaches the log. */
  readonly expectedTerm?: Term
  /** Goes through the log to `apply` on every member: a carrier as OpenTelemetry's `propagation.inject` fills it. */
  readonly traceContext?: TraceContext
}

export interface Applied<Result = unknown> {
  readonly index: LogIndex
  readonly term: Term
  readonly result: Result
}

/** A command as it stands in the log. */
export interface CommittedCommand<Command = unknown> {
  readonly index: LogIndex
  readonly term: Term
  /** What `apply` was given, and the reader's to keep. */
  readonly command: Command
}

/**
 * `readIndex`: linearizable, one heartbeat round shared by all reads that wait. `lease`: linearizable while clocks
 * keep their drift bound, no round, needs `leaderLease`. `local`: what this member has applied, may be stale.
 */
export type ReadLevel = 'readIndex' | 'lease' | 'local'

export interface ReadOptions {
  readonly level?: ReadLevel
  readonly signal?: AbortSignal
}

export interface TransferOptions {
  /** Ends the waiting; a transfer that was begun goes on. */
  readonly signal?: AbortSignal
}

export interface ElectionTimeoutOptions {
  readonly electionTimeoutMs: number
  /** Left out: what keeps the sum of both as it is. Given: taken as it is, and nobody checks that it is safe. */
  readonly maxClockDriftMs?: number
}

/** Who leads, since which term. */
export interface LeadershipInfo {
  readonly leader: PeerId
  readonly term: Term
}

export interface RoleChange {
  readonly from: Role
  readonly to: Role
  readonly term: Term
  /** In one word why, for example `ELECTION_WON`, `HIGHER_TERM_RESPONSE`. */
  readonly reason: string
}

export interface NodeEvents {
  role: RoleChange
  leader: { readonly leader: PeerId | null; readonly term: Term }
  error: Error
  /** Other members, or as something else, from now on (`oldPeers`: until they have all agreed); a newer snapshot, taken or fetched. */
  membership: ConfigurationInfo
  snapshot: SnapshotInfo
}

/** A snapshot: what it stands for, and what it is made of. */
export interface SnapshotInfo extends SnapshotMeta {
  readonly files: readonly SnapshotFileInfo[]
  /** Of all files together. */
  readonly bytes: number
  /** Milliseconds since 1970, by the clock of whoever took it. */
  readonly takenAtMs: number
}

/**
 * A member as it is to be. A bare name keeps the role and the priority that the member has; of a new one it is a voter of
 * priority 100.
 */
export type MemberSpec =
  | PeerId
  | { readonly id: PeerId; readonly role?: MemberRole | undefined; readonly priority?: number | undefined }

export interface ChangeOptions {
  /** The names of all members, learners too, as the caller has seen them: refused (CONFLICT) if they are others by now. */
  readonly expect?: readonly PeerId[]
  /** Ends the waiting, not the change. */
  readonly signal?: AbortSignal
}

export interface ResetOptions {
  /** Says that one knows what may be lost. */
  readonly force: true
  /** Ends the waiting, not what was forced. */
  readonly signal?: AbortSignal
}

/** Who the members of a group are, by the configuration in force on the member that was asked. */
export interface ConfigurationInfo {
  /** Who votes, witnesses among them. */
  readonly peers: readonly PeerId[]
  /** Who decides as well, while a change is between two sets. */
  readonly oldPeers: readonly PeerId[]
  readonly learners: readonly PeerId[]
  readonly witnesses: readonly PeerId[]
  /** Of whoever has another than 100. */
  readonly priorities: Priorities
  /** Where it stands in the log; 0: it was given at start. */
  readonly index: LogIndex
  /** How far a change has got. Members that do not lead know of `joint` only. */
  readonly stage: ChangeStage
  readonly leader: PeerId | null
}

/** One member of one group. */
export interface RaftNode extends AsyncDisposable {
  readonly group: string
  readonly id: PeerId
  /** The root of the node's actors, for inspection and for holding it in a machine of your own. */
  readonly actor: AnyActorRef
  /** Replicates a command (any CBOR value, or raw bytes) and resolves with what the state machine returned. */
  apply<Result = unknown>(command: unknown, options?: ApplyOptions): Promise<Applied<Result>>
  /** Queries the state machine. Default level: `readIndex`, on any member. */
  read<Answer = unknown>(query: unknown, options?: ReadOptions): Promise<Answer>
  /**
   * The first command at or after `index` that this member has applied (braft read_committed_user_log); entries of
   * Quorate's own are passed over, so the index in the answer may be a later one. On any member; what has left memory is
   * fetched from disk beside the loop. To follow the log, ask for the `index` of the answer + 1.
   *
   * @throws QuorateError NO_MORE_LOG when no command from there on has been applied here; LOG_DELETED when the entry is part
   *   of the snapshot now, with `firstIndex`, where the log begins; INVALID for an index below 1; BUSY (retryable) while
   *   `maxPendingReads` wait; STORAGE when the disk fails.
   * @example const { index, command } = await node.readCommittedUserLog(1)
   */
  readCommittedUserLog<Command = unknown>(index: LogIndex): Promise<CommittedCommand<Command>>
  /**
   * Saves the state of this member now, and lets its log begin later (braft Node::snapshot). Resolves with the newest
   * snapshot once it is durable; when nothing was applied since the last one, with that (the log behind it then goes, too).
   *
   * @throws QuorateError BUSY (retryable) while another one is taken, fetched or loaded; UNSUPPORTED when the state
   *   machine knows nothing of snapshots; STATE_MACHINE, with the cause, when it failed to save; STORAGE when the disk did;
   *   ABORTED when the machine was still saving and the leader's snapshot, needed here, had waited for 10 s.
   * @example const { lastIncludedIndex, bytes } = await node.snapshot()
   */
  snapshot(): Promise<SnapshotInfo>
  /**
   * Makes these the members, whoever they were before (braft Node::change_peers; joint consensus, paper section 6). Whoever
   * comes is given the log first and waited for as long as it answers and gets further; then both sets decide, then the new one alone. To be
   * asked of the leader. Asking for what is already so succeeds.
   * @throws QuorateError BUSY (retryable) while a change runs or the leader has just begun; INVALID for a set that cannot
   *   be; CONFLICT when the members are not those of `expect`; CATCH_UP when somebody who comes does not answer, or gets no further for `maxCatchUpStallMs`: nothing
   *   has changed; NOT_LEADER; LEADERSHIP_LOST when the leader left meanwhile: outcome `unknown` says that the next leader
   *   may finish the change, so ask for the `members()`.
   * @example await node.changePeers(['n1', 'n2', { id: 'n4', role: 'learner' }])
   */
  changePeers(target: readonly MemberSpec[], options?: ChangeOptions): Promise<ConfigurationInfo>
  /** Adds one member to those that are there (braft Node::add_peer); rejects as `changePeers` does. */
  addPeer(member: MemberSpec, options?: ChangeOptions): Promise<ConfigurationInfo>
  /** Removes one member, which may be the leader (braft Node::remove_peer); rejects as `changePeers` does. */
  removePeer(id: PeerId, options?: ChangeOptions): Promise<ConfigurationInfo>
  /** Makes a learner a voter, once it has caught up; rejects as `changePeers` does. */
  promote(id: PeerId, options?: ChangeOptions): Promise<ConfigurationInfo>
  /** Makes a voter a learner; rejects as `changePeers` does. */
  demote(id: PeerId, options?: ChangeOptions): Promise<ConfigurationInfo>
  /** Who is to lead when several could: the highest, 0 never; rejects as `changePeers` does. */
  setPriority(id: PeerId, priority: number, options?: ChangeOptions): Promise<ConfigurationInfo>
  /**
   * Forces who the voters are, on this member alone and without asking anybody (braft Node::reset_peers): for a group that
   * has lost its majority for good. It is in force at once, in a later term, and whatever change was under way ends. What
   * only the others had acknowledged may be lost, and they must never be started again with their files. Resolves when an
   * entry on this disk says so: one of the set leads then (braft resolves at once, and a crash forgets it).
   * Ask one member, the one whose log reaches furthest; the others learn of it. Where the process may be stopped,
   * `quorate recover` is the safer way.
   *
   * @throws QuorateError INVALID without `force`, for a set that is empty, names somebody twice or lacks this member, and at
   *   a witness; BUSY (retryable) at a leader while a change runs, and while a snapshot is installed; TIMEOUT, outcome
   *   `unknown`, when nobody could lead the set in time: it stays in force in memory (`status().resetPending`); CONFLICT
   *   when a leader of other members lives.
   * @example await node.resetPeers(['n3'], { force: true })
   */
  resetPeers(peers: readonly PeerId[], options: ResetOptions): Promise<ConfigurationInfo>
  /** The members, as this one knows them. */
  members(): ConfigurationInfo
  /**
   * Moves leadership to member `to`, or to the best one there is: the highest priority among those with the longest log
   * (thesis section 3.10; braft transfer_leadership_to). Ask the leader for it. Until the other one leads, commands are
   * refused as BUSY, not applied and retryable; reads by readIndex go on. Resolves when a member is known to lead a later
   * term: nearly always the one that was asked for. At the leader itself it succeeds at once.
   * @throws QuorateError TIMEOUT when the target did not take over within an election timeout: the old leader goes on in
   *   its term; BUSY (retryable) while another transfer or a change of membership runs, or right after an election;
   *   UNREACHABLE when the target does not answer; READONLY when it is read-only; INVALID for a learner, a witness, a stranger, or priority 0;
   *   NOT_LEADER elsewhere than at the leader.
   * @example const { leader, term } = await node.transferLeadership('n2')
   */
  transferLeadership(to?: PeerId, options?: TransferOptions): Promise<LeadershipInfo>
  /**
   * Asks this follower to stand for election at once although its leader lives (braft Node::vote): votes that leases hold
   * back count, once the leader has said that it would give way. With `electionTimeoutMs` that is its election timeout
   * from now on, until `resetElectionTimeout`. Resolves when the member has begun to ask; whether it wins is told by the
   * event `leader`. It may lose: ask again then.
   *
   * @throws QuorateError INVALID at a leader, a member without a vote, priority 0, or for a timeout longer than timeout
   *   plus drift; BUSY (retryable) at a candidate, and while a snapshot is installed.
   * @example await node.vote(50)
   */
  vote(electionTimeoutMs?: number): Promise<void>
  /**
   * Sets the election timeout anew (braft reset_election_timeout_ms). The drift takes what it loses, for others rely on
   * the sum. With `maxClockDriftMs` both are taken as they are. To lengthen the sum safely: raise the drift on all members,
   * wait for the old timeout plus the new drift, then raise the timeout.
   *
   * @throws QuorateError INVALID when it does not fit.
   * @example node.resetElectionTimeout({ electionTimeoutMs: 500 })
   */
  resetElectionTimeout(options: ElectionTimeoutOptions): void
  /**
   * Makes this member read-only, or not any more (braft enter_readonly_mode, leave_readonly_mode): for a disk that must not
   * fill up, or a group that has to stand still. A follower is sent no commands that come after its leader has heard of
   * it; as a leader it takes none. While no majority may be written to, the group takes none: they are refused as READONLY,
   * not applied. Reads, elections, snapshots and changes of the members go on. In memory only: a restart ends it.
   *
   * @throws QuorateError SHUTDOWN or NODE_FAILED when the node has ended.
   * @example node.setReadonly(true)
   */
  setReadonly(on: boolean): void
  status(): NodeStatus
  /** Returns the function that ends the subscription. */
  on<E extends keyof NodeEvents>(event: E, handler: (payload: NodeEvents[E]) => void): () => void
  /** Hands over leadership, settles what is pending (up to `drainTimeoutMs`), stops. Repeating it is harmless. */
  close(): Promise<void>
}

/** One per process: its place on the bus, its disk, the groups it carries (braft's NodeManager with add_service). */
export interface Host extends AsyncDisposable {
  readonly id: PeerId
  startNode(options: StartNodeOptions): Promise<RaftNode>
  node(group: string): RaftNode | undefined
  nodes(): readonly RaftNode[]
  /**
   * Changes what snapshots may take, from now on; what is left out stays as it is.
   * @throws QuorateError INVALID for limits that make no sense.
   * @example host.limitSnapshots({ bytesPerSecond: 50 * 1024 * 1024 })
   */
  limitSnapshots(limits: Partial<ThrottleLimits>): void
  /** What this process can say about itself now, and has counted since it was opened: for metrics and health checks. */
  figures(): HostFigures
  close(): Promise<void>
  /** Stops at once and without farewell, as if the process had been killed. For tests and demonstrations. */
  destroy(): void
}
