// The omniscient checker: sees every member, every disk and every message, remembers all of it, and throws the moment
// that one of the promises of docs/invariants.md is broken.

import type { LogIndex, PeerId, SnapshotMeta, Term } from '../../rules/types.ts'
import type { WriteOp } from '../disk/disk-image.ts'
import { BehaviorRules } from './behavior-rules.ts'
import { CommitRules } from './commit-rules.ts'
import { CompletionRules } from './completion-rules.ts'
import { CheckerContext, type CheckerOptions, isActive, type MemberState } from './context.ts'
import { ElectionRules } from './election-rules.ts'
import { LogRules } from './log-rules.ts'
import type {
  AppliedEntry,
  Call,
  Completion,
  DurableObservation,
  Hook,
  NodeObservation,
  ReceivedAppend,
  SentMessage,
} from './observation.ts'
import { RetentionRules } from './retention-rules.ts'
import { lastCarriedOut } from './session-rules.ts'
import { SnapshotRules } from './snapshot-rules.ts'
import { WitnessRules } from './witness-rules.ts'

/**
 * Feed it from the simulated world:
 *
 * - `sent`, `received`, `applied`, `hook`, `invoked`, `returned`, `completed`, `durableWrite`, `storageFailed` when
 *   they happen;
 * - `observe` after every step, for each member that the step touched.
 *
 * Every method may throw `InvariantViolation`. One checker watches one group.
 */
export class InvariantChecker {
  readonly #context: CheckerContext
  readonly #elections: ElectionRules
  readonly #log: LogRules
  readonly #commits: CommitRules
  readonly #completions: CompletionRules
  readonly #snapshots: SnapshotRules
  readonly #retention: RetentionRules
  readonly #behavior: BehaviorRules
  readonly #witnesses: WitnessRules
  #observations = 0

  constructor(options: CheckerOptions) {
    this.#context = new CheckerContext({
      ...options,
      onCanonical: (record) => {
        this.#completions.canonical(record)
        options.onCanonical?.(record)
      },
    })
    this.#elections = new ElectionRules(this.#context)
    this.#log = new LogRules(this.#context)
    this.#commits = new CommitRules(this.#context, this.#elections)
    this.#completions = new CompletionRules(this.#context)
    this.#behavior = new BehaviorRules(this.#context)
    this.#snapshots = new SnapshotRules(this.#context)
    this.#witnesses = new WitnessRules(this.#context)
    this.#retention = new RetentionRules(this.#context.options.retention ?? null)
  }

  /** Observations checked so far. */
  get observations(): number {
    return this.#observations
  }

  /** The newest committed command up to `index`: what a state up to there has carried out last. */
  lastCommandUpTo(index: LogIndex): LogIndex {
    return lastCarriedOut(this.#context, index)
  }

  /** The highest index that any member ever took for committed. */
  get committedIndex(): LogIndex {
    return this.#context.canon.lastIndex
  }

  /** The highest index that any caller was told to be done. */
  get acknowledgedIndex(): LogIndex {
    return this.#completions.acknowledgedIndex
  }

  /** Terms in which somebody led. */
  get elections(): number {
    return this.#context.leaders.size
  }

  /** A member after a step that touched it. */
  observe(view: NodeObservation): void {
    this.#observations++
    const member = this.#context.member(view.id)
    member.view = view
    if (!view.alive) return
    if (view.life !== member.life) this.#startLife(member, view.life)
    this.#behavior.check(member, view)
    this.#elections.checkDurable(member)
    // A member that stops itself may have committed, applied and reported something in its last step, or on its way out.
    if (isActive(view.role)) member.isUp = true
    if (member.isUp) this.#checkUp(member, view)
    this.#completions.stepEnded(view.id)
    this.#elections.checkLease(member, view)
    remember(member, view)
  }

  #checkUp(member: MemberState, view: NodeObservation): void {
    const canLead = isActive(view.role)
    if (canLead) this.#elections.checkTerm(member, view)
    this.#log.check(member, view)
    if (canLead) this.#elections.checkLeadership(member, view)
    this.#commits.check(member, view)
    this.#snapshots.check(member, view)
    this.#witnesses.check(member, view)
    this.#retention.check(view)
    if (canLead) this.#behavior.checkStarted(member, view)
  }

  /** A message leaves a member. Call it before the message can have an effect. */
  sent(message: SentMessage): void {
    this.#behavior.checkSent(message)
    this.#elections.checkSent(message)
    this.#commits.checkSent(message)
    this.#snapshots.checkSent(message)
  }

  /** An AppendEntries or heartbeat is about to be handled by `id`. */
  received(id: PeerId, append: ReceivedAppend): void {
    const member = this.#context.member(id)
    this.#commits.received(member, append)
    if (append.from !== undefined) this.#elections.heard(member, append.from, append.term)
  }

  /** Another message of a leader, an offer of a snapshot, is about to be handled by `id`. */
  heard(id: PeerId, leader: PeerId, term: Term): void {
    this.#elections.heard(this.#context.member(id), leader, term)
  }

  /** The user's machine on `id` carried out an entry. Checked with the next `observe`. */
  applied(id: PeerId, entry: AppliedEntry): void {
    this.#commits.applied(this.#context.member(id), entry)
  }

  /** The state of `id` was replaced by that of a snapshot. `hash`: of the state now. */
  loaded(id: PeerId, meta: SnapshotMeta, hash: string | null): void {
    const member = this.#context.member(id)
    this.#commits.loaded(member, meta.lastIncludedIndex)
    this.#snapshots.loaded(member, meta, hash)
  }

  /** A snapshot became the newest durable one of `id`. `hash`: of the state when `id` captured it, or null. */
  snapshotPublished(id: PeerId, meta: SnapshotMeta, hash: string | null): void {
    this.#snapshots.published(this.#context.member(id), meta, hash)
  }

  hook(id: PeerId, hook: Hook): void {
    this.#behavior.hook(this.#context.member(id), hook)
  }

  /** A write is about to become durable; `image` is what was durable before it. */
  durableWrite(id: PeerId, op: WriteOp, image: DurableObservation): void {
    const member = this.#context.member(id)
    if (op.kind === 'hardState') this.#elections.durableRecord(member, op.state)
    else {
      this.#log.checkDurableWrite(member, op, image)
      this.#snapshots.checkDurableWrite(member, op)
      this.#witnesses.checkDurableWrite(member, op)
    }
  }

  /** The node is being told that its storage failed, in the turn that is going on. */
  storageFailed(id: PeerId): void {
    this.#context.member(id).storageFailed = true
  }

  invoked(id: number, call: Call): void {
    this.#completions.invoked(id, call)
  }

  returned(id: number): void {
    this.#completions.returned(id)
  }

  completed(id: number, completion: Completion): void {
    this.#completions.completed(id, completion)
  }

  /** The process of `id` was killed: its callers will hear nothing more from it. */
  lifeEnded(id: PeerId): void {
    this.#completions.lifeEnded(id)
  }

  /** Every member lost its power at one instant: what was acknowledged must be on the next leader (INV-19). */
  totalPowerLoss(): void {
    this.#elections.afterTotalPowerLoss = true
  }

  /** Members whose disks have forgotten what they promised. */
  get waived(): readonly PeerId[] {
    return [...this.#context.members()].filter(({ waived }) => waived).map(({ id }) => id)
  }

  /** A fault beyond the safety argument hit the disk of `id` (P9, P10, D8): its old promises don't bind it. */
  waive(id: PeerId): void {
    this.#context.member(id).waived = true
  }

  /** The record of term and vote of `id` is gone (ND-13): what it says next must not contradict it all the same. */
  metaLost(id: PeerId): void {
    this.#context.member(id).metaLost = true
  }

  /** An operator says who the members are, without asking a majority, which is lost for good. */
  forced(peers: readonly PeerId[]): void {
    this.#context.forced = peers
  }

  get clocksTrusted(): boolean {
    return this.#elections.checksLeases
  }

  /** Clocks leave their declared bound (P8), or come back: leases and reads by them promise nothing meanwhile. */
  setClocksTrusted(trusted: boolean): void {
    this.#elections.checksLeases = trusted
    this.#completions.checksReads = trusted
  }

  /** After the shutdown of `id`: counts of what it should have let go of. */
  checkReleased(id: PeerId, left: Readonly<Record<string, number>>): void {
    this.#behavior.checkReleased(id, left)
  }

  /**
   * Compares whole logs, which `observe` does for new entries only. Between two steps, as often as you like: every few
   * thousand of them, and at the end.
   */
  checkAll(): void {
    this.#completions.checkSettled()
    this.#verifyLogs()
  }

  #verifyLogs(): void {
    for (const member of this.#context.members()) {
      const { id, view, log, isUp, waived } = member
      if (view?.alive === true && isUp) log.verify(view)
      // Read back from disk, of living and dead members alike.
      if (!waived) this.#context.registry.verifyDisk(id, this.#context.options.durable(id))
    }
  }

  /** Everything is quiet, or `node` is closed: each of its calls must have had its completion (INV-17). */
  finish(node?: PeerId): void {
    this.#verifyLogs()
    this.#completions.finish(node)
  }

  #startLife(member: MemberState, life: number): void {
    member.startLife(life)
    this.#log.startLife(member)
    this.#commits.startLife(member)
    this.#behavior.startLife(member)
    this.#retention.startLife(member.id)
  }
}

function remember(member: MemberState, view: NodeObservation): void {
  member.role = view.role
  member.configuration = view.configuration
  if (!member.isUp) return
  member.term = view.term
  member.votedFor = view.votedFor
  member.commitIndex = view.commitIndex
  member.appliedIndex = view.appliedIndex
  member.snapshotIndex = view.snapshot?.index ?? 0
}

export type { CheckerOptions } from './context.ts'
export type { EntryRecord } from './log-registry.ts'
export type * from './observation.ts'
export type { InvariantName } from './promises.ts'
export { InvariantViolation } from './violation.ts'
