// What may happen to a log: INV-4, INV-5 (with the registry), INV-11 (second half), INV-12, INV-13 (a, b), INV-21.

import {
  type Configuration,
  type ConfigurationEntry,
  EntryType,
  type LogEntry,
  type LogIndex,
  type PeerId,
} from '../../rules/types.ts'
import type { WriteOp } from '../disk/disk-image.ts'
import {
  brief,
  type CheckerContext,
  describeConfiguration,
  isActive,
  type MemberState,
  sameMembers,
} from './context.ts'
import { type EntryRecord, isSameEntry, type LogChange } from './log-registry.ts'
import type { DurableObservation, NodeObservation } from './observation.ts'
import { InvariantViolation } from './violation.ts'

export class LogRules {
  readonly #context: CheckerContext
  /** Per member: indexes of its CONFIGURATION entries, ascending. */
  readonly #configurations = new Map<PeerId, EntryRecord[]>()
  /** Per member: the first entry that its last durable truncation took away. */
  readonly #truncated = new Map<PeerId, LogEntry>()

  constructor(context: CheckerContext) {
    this.#context = context
  }

  startLife(member: MemberState): void {
    this.#configurations.delete(member.id)
  }

  check(member: MemberState, view: NodeObservation): void {
    const snapshotIndex = view.snapshot?.index ?? 0
    const { id, firstIndex } = view
    if (firstIndex > snapshotIndex + 1) {
      throw new InvariantViolation(
        'INV-21',
        `The log of ${id} begins at ${firstIndex}, but its snapshot ends at ${snapshotIndex}.`,
      )
    }
    this.#checkBeginning(view)
    const change = member.log.sync(view)
    this.#forgetConfigurations(member)
    if (change.removed.length > 0) this.#checkRemoved(member, view, change.removed, snapshotIndex)
    if (change.removed.length > 0 || change.added.length > 0) this.#trackConfigurations(member, change, view)
    this.#checkEffective(member, view)
  }

  /** A write reaches the disk; `image` is how it was before. */
  checkDurableWrite(member: MemberState, op: WriteOp, image: DurableObservation): void {
    if (member.waived) return
    switch (op.kind) {
      case 'truncateSuffix':
        this.#checkLost(member, op.lastKept + 1, image)
        return
      case 'reset':
        this.#checkLost(member, op.nextIndex, image)
        this.#truncated.delete(member.id)
        return
      case 'append':
        this.#checkReappended(member, op.entries[0])
        return
      default:
    }
  }

  /** What the first entry is said to follow is what was committed there. */
  #checkBeginning({ id, firstIndex, termBeforeFirst }: NodeObservation): void {
    const before = this.#context.canon.at(firstIndex - 1)
    if (before === null || termBeforeFirst === undefined || termBeforeFirst === before.term) return
    throw new InvariantViolation(
      'INV-21',
      `The log of ${id} begins at ${firstIndex} after term ${termBeforeFirst}, but term ${before.term} was committed there.`,
    )
  }

  #checkRemoved(
    member: MemberState,
    view: NodeObservation,
    removed: readonly EntryRecord[],
    snapshotIndex: LogIndex,
  ): void {
    const { id, term } = view
    const first = removed.find((record) => record.index > snapshotIndex)
    if (first === undefined) return
    if (member.role === 'leader' && view.role === 'leader' && member.term === term) {
      throw new InvariantViolation(
        'INV-4',
        `${id}, leader of term ${term}, gave up its own entry ${brief(first)}.`,
      )
    }
    this.#checkNotCanonical(id, first.index, (index) => removed[index - (removed[0]?.index ?? 0)] ?? null)
    this.#checkNotAcknowledged(member, term, first.index)
  }

  /** Entries from `fromIndex` on go away on disk. */
  #checkLost(member: MemberState, fromIndex: LogIndex, image: DurableObservation): void {
    const { canon } = this.#context
    if (fromIndex > image.lastIndex) return
    this.#checkNotCanonical(member.id, fromIndex, (index) => {
      const entry = image.entryAt(index)
      const record = canon.at(index)
      return entry !== null && record !== null && isSameEntry(record, entry) ? record : null
    })
    const first = image.entryAt(fromIndex)
    if (first !== null) this.#truncated.set(member.id, first)
  }

  #checkNotCanonical(
    id: PeerId,
    fromIndex: LogIndex,
    removedAt: (index: LogIndex) => EntryRecord | null,
  ): void {
    const { canon } = this.#context
    for (let index = fromIndex; index <= canon.lastIndex; index++) {
      const removed = removedAt(index)
      if (removed === null || canon.at(index) !== removed) continue
      throw new InvariantViolation(
        'INV-12',
        `${id} removed entry ${brief(removed)}, which is committed (up to ${canon.lastIndex}).`,
      )
    }
  }

  #checkNotAcknowledged(member: MemberState, term: number, fromIndex: LogIndex): void {
    const { acknowledged } = member
    if (member.waived || acknowledged.term !== term || fromIndex > acknowledged.index) return
    throw new InvariantViolation(
      'INV-11',
      `${member.id} removed entry ${fromIndex} in term ${term}, having acknowledged up to ${acknowledged.index} in it.`,
    )
  }

  /** Truncation begins at the first entry that differs: the one that comes instead must be another. */
  #checkReappended(member: MemberState, entry: LogEntry | undefined): void {
    const truncated = this.#truncated.get(member.id)
    if (truncated === undefined || entry === undefined) return
    this.#truncated.delete(member.id)
    if (truncated.index !== entry.index || truncated.term !== entry.term) return
    throw new InvariantViolation(
      'INV-12',
      `${member.id} truncated its log from entry ${entry.index} of term ${entry.term} on, and then appended the same entry again.`,
    )
  }

  /** Those that went with the front of the log, which a snapshot stands for now. */
  #forgetConfigurations({ id, log }: MemberState): void {
    const list = this.#configurations.get(id)
    while (list?.[0] !== undefined && list[0].index < log.firstIndex) list.shift()
  }

  #trackConfigurations(member: MemberState, { removed, added }: LogChange, view: NodeObservation): void {
    let list = this.#configurations.get(member.id)
    if (list === undefined) {
      list = []
      this.#configurations.set(member.id, list)
    }
    const firstRemoved = removed[0]
    while (firstRemoved !== undefined && (list.at(-1)?.index ?? 0) >= firstRemoved.index) list.pop()
    for (const record of added) {
      if (record.type !== EntryType.CONFIGURATION) continue
      this.#checkStep(member.id, list.at(-1), record)
      this.#checkPredecessor(member, view, list.at(-1), record)
      list.push(record)
    }
  }

  /** INV-13 (b): every majority of one configuration meets every majority of the next. */
  #checkStep(id: PeerId, before: EntryRecord | undefined, after: EntryRecord): void {
    const decode = this.#context.options.decodeConfiguration
    if (decode === undefined || before === undefined) return
    const from = decode(before.data)
    const to = decode(after.data)
    const { forced } = this.#context
    if (configurationsOverlap(from, to) || (forced !== null && sameMembers(to.peers, forced))) return
    throw new InvariantViolation(
      'INV-13',
      `The log of ${id} steps from configuration ${describeConfiguration(from)} to ${describeConfiguration(to)} at ${after.index}: their majorities need not meet.`,
    )
  }

  /** INV-13 (c): a leader writes a configuration when the one before is committed, and an entry of its own term. */
  #checkPredecessor(
    member: MemberState,
    { id, role, term, commitIndex }: NodeObservation,
    before: EntryRecord | undefined,
    after: EntryRecord,
  ): void {
    const { log } = member
    if (role !== 'leader' || after.term !== term || (log.at(after.index - 1)?.term ?? 0) < term) return
    if ((before?.index ?? 0) <= commitIndex && (log.at(commitIndex)?.term ?? term) === term) return
    throw new InvariantViolation(
      'INV-13',
      `${id}, leader of term ${term}, wrote the configuration of entry ${after.index} when only ${commitIndex} was committed, and the one before stands at ${before?.index ?? 0}.`,
    )
  }

  /** INV-13 (a): the newest configuration of the log is the one in effect. */
  #checkEffective(member: MemberState, view: NodeObservation): void {
    const decode = this.#context.options.decodeConfiguration
    const newest = this.#configurations.get(member.id)?.at(-1)
    if (decode === undefined || !isActive(view.role) || view.forced === true) return
    if (newest === undefined) return this.#checkEffectiveOfSnapshot(view)
    if (member.configuration === view.configuration && this.#checkedRecord.get(member.id) === newest) return
    this.#checkedRecord.set(member.id, newest)
    const expected = decode(newest.data)
    const { configuration } = view
    const cameFrom = 'id' in configuration ? (configuration as ConfigurationEntry).id : newest
    const isOther = cameFrom.index !== newest.index || cameFrom.term !== newest.term
    if (
      !isOther &&
      sameMembers(expected.peers, view.configuration.peers) &&
      sameMembers(expected.oldPeers, view.configuration.oldPeers)
    ) {
      return
    }
    throw new InvariantViolation(
      'INV-13',
      `${view.id} uses configuration ${describeConfiguration(view.configuration)}${isOther ? ` of entry (index ${cameFrom.index}, term ${cameFrom.term})` : ''}, but entry ${newest.index} of its log says ${describeConfiguration(expected)}.`,
    )
  }

  /** Where the log says nothing, the snapshot does. */
  #checkEffectiveOfSnapshot({ id, configuration, snapshot }: NodeObservation): void {
    const expected = snapshot?.configuration
    if (expected === undefined) return
    if (
      sameMembers(expected.peers, configuration.peers) &&
      sameMembers(expected.oldPeers, configuration.oldPeers)
    )
      return
    throw new InvariantViolation(
      'INV-13',
      `${id} uses configuration ${describeConfiguration(configuration)}, but its snapshot says ${describeConfiguration(expected)}.`,
    )
  }
  readonly #checkedRecord = new Map<PeerId, EntryRecord>()
}

/** Equal, one of the pair joint with the other inside, or different by one voter. */
function configurationsOverlap(from: Configuration, to: Configuration): boolean {
  const halvesOf = ({ peers, oldPeers }: Configuration) =>
    oldPeers.length === 0 ? [peers] : [peers, oldPeers]
  // A majority of a joint configuration is one of each half, so a single pair of halves that always meets is enough.
  return halvesOf(from).some((a) => halvesOf(to).some((b) => majoritiesMeet(a, b)))
}

function majoritiesMeet(a: readonly PeerId[], b: readonly PeerId[]): boolean {
  if (a.length === 0 || b.length === 0) return true
  const common = a.filter((peer) => b.includes(peer)).length
  const majority = (members: readonly PeerId[]): number => Math.floor(members.length / 2) + 1
  // The worst case puts as much of either majority as possible outside of what they share.
  const needA = majority(a) - (a.length - common)
  const needB = majority(b) - (b.length - common)
  return Math.max(needA, 0) + Math.max(needB, 0) > common
}
