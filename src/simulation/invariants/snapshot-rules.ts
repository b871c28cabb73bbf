// What a snapshot may stand for, and what may rest on it: INV-20, and what of INV-21 concerns the disk.

import {
  type Configuration,
  EntryType,
  type LogIndex,
  type PeerId,
  type SnapshotMeta,
  type Term,
} from '../../rules/types.ts'
import type { WriteOp } from '../disk/disk-image.ts'
import { type CheckerContext, describeConfiguration, type MemberState, sameMembers } from './context.ts'
import type { NodeObservation, SentMessage } from './observation.ts'
import { InvariantViolation } from './violation.ts'

export class SnapshotRules {
  readonly #context: CheckerContext
  /** Up to where each member's durable snapshot goes. */
  readonly #durable = new Map<PeerId, LogIndex>()

  constructor(context: CheckerContext) {
    this.#context = context
  }

  /** A snapshot is the newest on the disk of `member` now. `hash`: of the state when it was captured; null: unknown. */
  published(member: MemberState, meta: SnapshotMeta, hash: string | null): void {
    const { id, waived } = member
    const { lastIncludedIndex: index, lastIncludedTerm: term } = meta
    const before = this.#durable.get(id) ?? 0
    this.#durable.set(id, index)
    if (waived) return
    if (index < before) complain(`The durable snapshot of ${id} went back from ${before} to ${index}.`)
    this.#checkTerm(`${id} published a snapshot`, index, term)
    this.#checkConfiguration(id, meta)
    this.#checkState(`${id} saved`, index, hash)
  }

  /** The state of `member` is that of its newest snapshot now. */
  loaded(member: MemberState, meta: SnapshotMeta, hash: string | null): void {
    if (!member.waived) this.#checkState(`${member.id} loaded`, meta.lastIncludedIndex, hash)
  }

  /** What a member takes for its newest snapshot would survive a power loss. */
  check({ id, waived }: MemberState, view: NodeObservation): void {
    const { snapshot } = view
    if (snapshot === null || waived) return
    const durable = this.#context.options.durable(id)?.snapshot
    if (durable === undefined || (durable !== null && durable.index >= snapshot.index)) return
    complain(
      `${id} relies on a snapshot up to ${snapshot.index}, and ${durable?.index ?? 'none'} is durable.`,
    )
  }

  /** The front of the log goes: only what a durable snapshot stands for, and the term before it stays known. */
  checkDurableWrite({ id, waived }: MemberState, op: WriteOp): void {
    if (waived || (op.kind !== 'truncatePrefix' && op.kind !== 'reset')) return
    const goneIndex = (op.kind === 'reset' ? op.nextIndex : op.firstKept) - 1
    const durable = this.#context.options.durable(id)?.snapshot
    if (durable !== undefined && goneIndex > (durable?.index ?? 0)) {
      throw new InvariantViolation(
        'INV-21',
        `${id} lets go of its log up to ${goneIndex} while its durable snapshot ends at ${durable?.index ?? 0}.`,
      )
    }
    const record = this.#context.canon.at(goneIndex)
    if (record === null || record.term === op.termBeforeFirst) return
    throw new InvariantViolation(
      'INV-21',
      `The log of ${id} is to follow entry ${goneIndex} of term ${op.termBeforeFirst}, but term ${record.term} is committed there.`,
    )
  }

  /** Whoever says that it has a snapshot has it: durably, and in its state. */
  checkSent({ from, to, installedIndex: index }: SentMessage): void {
    if (index === undefined) return
    const { view, waived } = this.#context.member(from)
    if (waived) return
    const durable = this.#context.options.durable(from)
    const durableIndex = Math.max(durable?.lastIndex ?? 0, durable?.snapshot?.index ?? 0)
    if (durableIndex < index)
      complain(`${from} told ${to} that it has everything up to ${index}; up to ${durableIndex} is durable.`)
    if (view?.alive === true && Math.max(view.commitIndex, view.snapshot?.index ?? 0) < index)
      complain(`${from} told ${to} that it has everything up to ${index}, which its state does not show.`)
  }

  #checkTerm(what: string, index: LogIndex, term: Term): void {
    const { canon } = this.#context
    if (index > canon.lastIndex)
      complain(`${what} up to ${index}, but only ${canon.lastIndex} has been committed anywhere.`)
    const record = canon.at(index)
    if (record !== null && record.term !== term)
      complain(`${what} up to ${index} of term ${term}, but term ${record.term} is committed there.`)
  }

  /** That of the last committed entry that changed it; before the first, that of the beginning, which nobody wrote down. */
  #checkConfiguration(id: PeerId, meta: SnapshotMeta): void {
    const { lastIncludedIndex, peers, oldPeers } = meta
    const { canon, options } = this.#context
    if (options.decodeConfiguration === undefined) return
    let expected: Configuration | null = null
    for (let index = lastIncludedIndex; index > 0 && expected === null; index--) {
      const record = canon.at(index)
      if (record?.type === EntryType.CONFIGURATION) expected = options.decodeConfiguration(record.data)
    }
    if (expected === null) return
    const isSame = sameMembers(expected.peers, peers) && sameMembers(expected.oldPeers, oldPeers)
    if (isSame && !sameFiles(expected, meta)) {
      const text = `The snapshot of ${id} up to ${lastIncludedIndex} names other files than were on record there.`
      throw new InvariantViolation('INV-20', text, { expected, meta })
    }
    if (isSame) return
    const found = describeConfiguration({ peers, oldPeers })
    complain(
      `The snapshot of ${id} up to ${lastIncludedIndex} has configuration ${found}; ${describeConfiguration(expected)} was committed there.`,
    )
  }

  #checkState(what: string, index: LogIndex, hash: string | null): void {
    const expected = this.#context.options.stateHashAt?.(index) ?? null
    if (hash === null || expected === null || hash === expected) return
    complain(`${what} a snapshot up to ${index} whose state is ${hash} instead of ${expected}.`)
  }
}

/** The same files of the same members, known and newly come. */
function sameFiles(a: Configuration, b: Configuration): boolean {
  const names = [...a.peers, ...a.oldPeers]
  return names.every(
    (name) => a.identities?.[name] === b.identities?.[name] && a.newcomers?.[name] === b.newcomers?.[name],
  )
}

function complain(sentence: string): never {
  throw new InvariantViolation('INV-20', sentence)
}
