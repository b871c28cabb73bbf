// What may be called committed, acknowledged and applied: INV-7, INV-8, INV-9, INV-10, INV-11.

import { EntryType, type LogIndex, type PeerId, type Term } from '../../rules/types.ts'
import { brief, type CheckerContext, hasQuorum, type MemberState } from './context.ts'
import type { ElectionRules } from './election-rules.ts'
import { type EntryRecord, isDurable } from './log-registry.ts'
import type { AppliedEntry, NodeObservation, ReceivedAppend, SentMessage } from './observation.ts'
import { carriesOut, checkCarriedOut } from './session-rules.ts'
import { InvariantViolation } from './violation.ts'

/** Appends that a follower may still act upon; older ones are long settled. */
const MAX_OPEN_APPENDS = 64

interface FollowerBounds {
  /** The highest commit index that any matching append allowed in this life. */
  allowedIndex: LogIndex
  open: ReceivedAppend[]
}

/** A snapshot has taken the place of the state. */
interface Loaded {
  readonly loadedIndex: LogIndex
}

interface Applies {
  pending: (AppliedEntry | Loaded)[]
  lastIndex: LogIndex
}

export class CommitRules {
  readonly #context: CheckerContext
  readonly #elections: ElectionRules
  readonly #bounds = new Map<PeerId, FollowerBounds>()
  readonly #applies = new Map<PeerId, Applies>()
  readonly #stateHashes = new Map<LogIndex, { id: PeerId; hash: string }>()

  constructor(context: CheckerContext, elections: ElectionRules) {
    this.#context = context
    this.#elections = elections
  }

  startLife(member: MemberState): void {
    this.#bounds.delete(member.id)
    this.#applies.delete(member.id)
  }

  /** An append is about to be handled. One of an older term must be refused, so it allows nothing. */
  received(member: MemberState, append: ReceivedAppend): void {
    if (append.term < member.term) return
    const bounds = this.#boundsOf(member.id)
    bounds.open.push(append)
    if (bounds.open.length > MAX_OPEN_APPENDS) bounds.open.shift()
  }

  applied(member: MemberState, entry: AppliedEntry): void {
    this.#appliesOf(member.id).pending.push(entry)
  }

  loaded(member: MemberState, loadedIndex: LogIndex): void {
    this.#appliesOf(member.id).pending.push({ loadedIndex })
  }

  check(member: MemberState, view: NodeObservation): void {
    this.#checkOrder(member, view)
    this.#settleBounds(member)
    if (view.commitIndex > member.commitIndex) this.#checkCommit(member, view)
    const applies = this.#applies.get(member.id)
    if (applies !== undefined && applies.pending.length > 0) this.#checkApplies(view, applies)
    if (view.appliedIndex > member.appliedIndex) this.#checkStateHash(view)
  }

  checkSent(message: SentMessage): void {
    const { kind, from, to, term, success, acknowledgedIndex: index } = message
    if (kind !== 'appendAck' || success !== true || index === undefined || index === 0 || term === null)
      return
    const member = this.#context.member(from)
    if (member.waived) return
    const durable = this.#context.options.durable(from)
    // Its term in memory, at the end of its last turn, may be ahead of the one on disk.
    const ownTerm = Math.max(
      durable?.hardState?.term ?? 0,
      member.view?.alive === true ? member.view.term : 0,
    )
    if (ownTerm > term) {
      throw new InvariantViolation(
        'INV-11',
        `${from} acknowledged entry ${index} in term ${term}, being in term ${ownTerm} itself.`,
      )
    }
    if (durable === null || Math.max(durable.lastIndex, durable.snapshot?.index ?? 0) < index) {
      throw new InvariantViolation(
        'INV-11',
        `${from} acknowledged entry ${index} to ${to} in term ${term} while only ${durable?.lastIndex ?? 0} was durable.`,
      )
    }
    this.#checkSameAsLeader(from, term, index)
    if (term > member.acknowledged.term) member.acknowledged = { term, index }
    else if (term === member.acknowledged.term && index > member.acknowledged.index) {
      member.acknowledged = { term, index }
    }
  }

  #checkOrder(member: MemberState, view: NodeObservation): void {
    const { id, commitIndex, appliedIndex, lastIndex } = view
    const snapshotIndex = view.snapshot?.index ?? 0
    const complain = (sentence: string): never => {
      throw new InvariantViolation('INV-9', sentence, {
        commitIndex,
        appliedIndex,
        lastIndex,
        snapshotIndex,
      })
    }
    if (commitIndex < member.commitIndex) {
      complain(`The commit index of ${id} went back from ${member.commitIndex} to ${commitIndex}.`)
    }
    if (appliedIndex < member.appliedIndex) {
      complain(`The applied index of ${id} went back from ${member.appliedIndex} to ${appliedIndex}.`)
    }
    // A member that stops in the moment in which its machine has loaded a snapshot takes no notice of it any more.
    if (appliedIndex > commitIndex && view.role !== 'error') {
      complain(`${id} applied up to ${appliedIndex}, but only ${commitIndex} is committed there.`)
    }
    if (commitIndex > Math.max(lastIndex, snapshotIndex)) {
      complain(`The commit index ${commitIndex} of ${id} is beyond its last entry ${lastIndex}.`)
    }
    if (snapshotIndex > appliedIndex) {
      complain(`${id} has a snapshot up to ${snapshotIndex}, having applied only up to ${appliedIndex}.`)
    }
    if (snapshotIndex < member.snapshotIndex && !member.waived) {
      complain(`The snapshot of ${id} went back from ${member.snapshotIndex} to ${snapshotIndex}.`)
    }
  }

  #checkCommit(member: MemberState, view: NodeObservation): void {
    const { canon } = this.#context
    const { id, commitIndex } = view
    const leaderTerm = this.#committerTerm(member, view)
    if (leaderTerm === null) this.#checkFollowerBound(member, view)
    else this.#checkLeaderCommit(member, view, leaderTerm)
    for (let index = member.commitIndex + 1; index <= commitIndex; index++) {
      const record = member.log.at(index)
      if (record === null) continue
      const known = canon.at(index)
      if (known === null) {
        canon.add(record, leaderTerm ?? view.term)
        this.#context.options.onCanonical?.(record)
      } else if (known !== record) {
        throw new InvariantViolation(
          'INV-7',
          `${id} takes ${brief(record)} for committed, but ${brief(known)} was committed there before.`,
        )
      }
    }
    if (leaderTerm !== null) this.#elections.checkCommitUnderLease(id, leaderTerm)
  }

  /** The term in which it committed as leader; null when it followed. A step may have had both. */
  #committerTerm(member: MemberState, view: NodeObservation): Term | null {
    const was = member.role === 'leader' ? member.term : null
    const is = view.role === 'leader' ? view.term : null
    if (was === is) return is
    const allowedIndex = this.#bounds.get(member.id)?.allowedIndex ?? 0
    return view.commitIndex <= allowedIndex ? null : (is ?? was)
  }

  #checkLeaderCommit(member: MemberState, view: NodeObservation, term: Term): void {
    const { id, commitIndex } = view
    const record = member.log.at(commitIndex)
    if (record === null) return
    if (record.term !== term) {
      throw new InvariantViolation(
        'INV-8',
        `${id}, leader of term ${term}, committed entry ${commitIndex} of term ${record.term} by counting: only an entry of its own term may be.`,
      )
    }
    const holds = (peer: PeerId): boolean => this.#context.holdsDurably(peer, record)
    // The configuration may have moved on in the same step, after the count.
    const configurations = [view.configuration, member.configuration ?? view.configuration]
    if (configurations.some((configuration) => hasQuorum(configuration, holds))) return
    // And each entry is judged by the configuration of its time (trap T38).
    const ofItsTime = this.#context.configurationAt(member, view)
    if (ofItsTime !== null && hasQuorum(ofItsTime, holds)) return
    const holders = view.configuration.peers.filter(holds)
    throw new InvariantViolation(
      'INV-8',
      `${id} committed entry ${commitIndex} of term ${term}, which is durable only on {${holders.join(',')}} of {${view.configuration.peers.join(',')}}${view.configuration.oldPeers.length > 0 ? ` and {${view.configuration.oldPeers.join(',')}}` : ''}.`,
      { record },
    )
  }

  #checkFollowerBound(member: MemberState, view: NodeObservation): void {
    const { id, commitIndex } = view
    if (commitIndex <= (view.snapshot?.index ?? 0)) return
    const allowedIndex = this.#bounds.get(member.id)?.allowedIndex ?? 0
    if (commitIndex <= Math.max(allowedIndex, member.commitIndex)) return
    throw new InvariantViolation(
      'INV-10',
      `${id} moved its commit index from ${member.commitIndex} to ${commitIndex}, but the appends it got allow only ${allowedIndex}.`,
      { open: this.#bounds.get(member.id)?.open },
    )
  }

  /** Appends whose previous position is in the log by now count; the others wait. */
  #settleBounds(member: MemberState): void {
    const bounds = this.#bounds.get(member.id)
    if (bounds === undefined || bounds.open.length === 0) return
    bounds.open = bounds.open.filter(({ prevLogIndex, prevLogTerm, entryCount, committedIndex }) => {
      const previous = member.log.at(prevLogIndex)
      const isCompacted = prevLogIndex < member.log.firstIndex
      if (!isCompacted && previous?.term !== prevLogTerm) return true
      const allowed = Math.min(committedIndex, prevLogIndex + entryCount)
      if (allowed > bounds.allowedIndex) bounds.allowedIndex = allowed
      return false
    })
  }

  #checkSameAsLeader(from: PeerId, term: Term, index: LogIndex): void {
    const leaderId = this.#context.leaders.get(term)
    const leader = leaderId === undefined ? undefined : this.#context.member(leaderId)
    if (leader === undefined || leader.role !== 'leader' || leader.term !== term) return
    const expected: EntryRecord | null = leader.log.at(index)
    if (expected === null || isDurable(this.#context.options.durable(from), expected)) return
    throw new InvariantViolation(
      'INV-11',
      `${from} acknowledged entry ${index} in term ${term}, but its disk has ${brief(this.#context.options.durable(from)?.entryAt(index) ?? null)} there and leader ${leader.id} ${brief(expected)}.`,
    )
  }

  #checkApplies(view: NodeObservation, applies: Applies): void {
    const { canon } = this.#context
    const { id } = view
    const pending = applies.pending
    applies.pending = []
    for (const entry of pending) {
      if ('loadedIndex' in entry) {
        if (entry.loadedIndex <= applies.lastIndex)
          throw new InvariantViolation(
            'INV-7',
            `${id} loaded a snapshot up to ${entry.loadedIndex}, having applied up to ${applies.lastIndex}.`,
          )
        applies.lastIndex = entry.loadedIndex
        continue
      }
      const complain = (what: string): never => {
        throw new InvariantViolation('INV-7', `${id} applied entry ${entry.index} ${what}.`, { entry })
      }
      if (entry.index <= applies.lastIndex) complain(`after ${applies.lastIndex}`)
      const record = canon.at(entry.index)
      if (entry.index > view.commitIndex || record === null) {
        return complain(`while only ${view.commitIndex} was committed there`)
      }
      if (record.type !== EntryType.DATA) complain('as user data, though it is none')
      if (record.term !== entry.term) complain(`of term ${entry.term}, but term ${record.term} was committed`)
      if (entry.data !== undefined && Buffer.compare(entry.data, record.data) !== 0) {
        complain('with other bytes than were committed')
      }
      checkCarriedOut(this.#context, id, entry.index)
      for (let index = applies.lastIndex + 1; index < entry.index; index++) {
        const isData = canon.at(index)?.type === EntryType.DATA && view.lacksPayload !== true
        if (isData && carriesOut(this.#context, index)) complain(`and left out entry ${index}`)
      }
      applies.lastIndex = entry.index
    }
  }

  #checkStateHash(view: NodeObservation): void {
    const { appliedIndex, id, stateHash } = view
    if (stateHash === null) return
    const reference = this.#context.options.stateHashAt?.(appliedIndex) ?? null
    const known = this.#stateHashes.get(appliedIndex)
    const expected = reference ?? known?.hash ?? stateHash
    if (known === undefined) this.#stateHashes.set(appliedIndex, { id, hash: stateHash })
    if (stateHash === expected) return
    throw new InvariantViolation(
      'INV-7',
      `The state of ${id} after entry ${appliedIndex} differs from that of ${reference === null ? known?.id : 'the reference machine'}: ${stateHash} instead of ${expected}.`,
      { index: appliedIndex },
    )
  }

  #boundsOf(id: PeerId): FollowerBounds {
    let bounds = this.#bounds.get(id)
    if (bounds === undefined) {
      bounds = { allowedIndex: 0, open: [] }
      this.#bounds.set(id, bounds)
    }
    return bounds
  }

  #appliesOf(id: PeerId): Applies {
    let applies = this.#applies.get(id)
    if (applies === undefined) {
      applies = { pending: [], lastIndex: 0 }
      this.#applies.set(id, applies)
    }
    return applies
  }
}
