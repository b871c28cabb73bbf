// Who may lead, vote and hold a lease: INV-1, INV-2, INV-3, INV-6, INV-15, and INV-19 at the election after a total
// power loss.

import type { HardState, PeerId, Term } from '../../rules/types.ts'
import type { MessageKind } from '../bus/message-kind.ts'
import { type CheckerContext, hasQuorum, isActive, type MemberState } from './context.ts'
import type { NodeObservation, SentMessage } from './observation.ts'
import { InvariantViolation } from './violation.ts'

/** Answers to a leader's messages, each of which keeps a vote back for it. */
const PROMISES: ReadonlySet<MessageKind> = new Set(['appendAck', 'heartbeatAck', 'installSnapshotAck'])

export class ElectionRules {
  readonly #context: CheckerContext
  /** By term: whom each member voted for, over all its lives. */
  readonly #votes = new Map<Term, Map<PeerId, PeerId>>()
  /** Set when every member lost its power at once; cleared by the next election. */
  afterTotalPowerLoss = false
  /** Off while clocks run outside of the declared bound (P8), or when leases are turned off. */
  checksLeases = true

  constructor(context: CheckerContext) {
    this.#context = context
  }

  /** Term and vote in memory. */
  checkTerm(member: MemberState, view: NodeObservation): void {
    const { id, term, votedFor } = view
    if (member.waived) return
    if (term < member.term) {
      throw new InvariantViolation('INV-3', `${id} went back from term ${member.term} to ${term}.`)
    }
    if (!isActive(member.role) && term < member.sentTerm) {
      throw new InvariantViolation(
        'INV-3',
        `${id} started again with term ${term}, but a message of its term ${member.sentTerm} had left it.`,
      )
    }
    if (term === member.term && member.votedFor !== null && votedFor !== member.votedFor) {
      throw new InvariantViolation(
        'INV-2',
        `${id} voted for ${member.votedFor} in term ${term} and now remembers ${votedFor ?? 'no vote'}.`,
      )
    }
    if (votedFor !== null) this.#checkPromise(id, term, votedFor)
    this.#checkRaise(member, view)
  }

  /** Terms come from others or from one's own candidacy: a pre-vote, asked or answered, raises none. */
  #checkRaise(member: MemberState, { id, term, votedFor, forced }: NodeObservation): void {
    // Whoever is told who the members are leaves the term of the others behind (braft reset_peers).
    if (forced === true) return
    if (this.#context.options.seesEveryMessage !== true) return
    if (!isActive(member.role) || term <= member.term || votedFor === id) return
    if (term <= this.#context.highestSentTerm) return
    throw new InvariantViolation(
      'INV-2',
      `${id} went from term ${member.term} to ${term} without standing for election, and nobody had named a term above ${this.#context.highestSentTerm}.`,
    )
  }

  checkLeadership(member: MemberState, view: NodeObservation): void {
    const { id, term } = view
    if (view.role !== 'leader' || (member.role === 'leader' && member.term === term)) return
    const other = this.#context.leaders.get(term)
    if (other !== undefined && other !== id) {
      throw new InvariantViolation('INV-1', `${other} and ${id} both led term ${term}.`)
    }
    this.#context.leaders.set(term, id)
    this.#checkOwnVote(member, term)
    this.#checkMajority(view)
    this.#checkCompleteness(member, view)
    this.afterTotalPowerLoss = false
  }

  checkLease(member: MemberState, view: NodeObservation): void {
    if (!this.checksLeases || !view.leaseValid) return
    if (!isActive(view.role)) {
      throw new InvariantViolation(
        'INV-22',
        `${view.id} is ${view.role} and still answers with a valid lease.`,
      )
    }
    this.#checkLeaseIsBacked(member, view)
    for (const other of this.#context.members()) {
      if (other === member || other.view?.alive !== true || !other.view.leaseValid) continue
      throw new InvariantViolation(
        'INV-15',
        `${other.id} (term ${other.view.term}) and ${view.id} (term ${view.term}) hold a lease at the same time.`,
      )
    }
  }

  /** A lease lasts as long as a quorum holds its votes back, counted from when it *heard* what it answered. */
  #checkLeaseIsBacked(member: MemberState, { id, term, configuration }: NodeObservation): void {
    const { leaseLimitMs, nowMs } = this.#context.options
    if (leaseLimitMs === undefined || nowMs === undefined) return
    const oldestMs = nowMs() - leaseLimitMs
    const isHeld = (peer: PeerId): boolean => {
      const { held, waived } = this.#context.member(peer)
      return waived || (held?.leader === id && held.term === term && held.sinceMs >= oldestMs)
    }
    if (hasQuorum(configuration, (peer) => peer === member.id || isHeld(peer))) return
    throw new InvariantViolation(
      'INV-15',
      `${id} takes its lease of term ${term} for valid, but no quorum has heard and answered it within the last ${leaseLimitMs.toFixed(1)} ms.`,
    )
  }

  /** A leader of `term` has committed something. */
  checkCommitUnderLease(leader: PeerId, term: Term): void {
    if (!this.checksLeases) return
    for (const other of this.#context.members()) {
      const { view } = other
      if (view === null || other.id === leader || !view.alive || view.term >= term || !view.leaseValid)
        continue
      throw new InvariantViolation(
        'INV-15',
        `${leader} committed in term ${term} while ${other.id} still held its lease of term ${view.term}.`,
      )
    }
  }

  checkSent(message: SentMessage): void {
    const { kind, from, to, term } = message
    if (term === null || kind === 'prevote') return
    if (term > this.#context.highestSentTerm) this.#context.highestSentTerm = term
    if (kind === 'prevoteAck') return
    const member = this.#context.member(from)
    const hardState = this.#context.options.durable(from)?.hardState ?? null
    if (!member.waived && (hardState === null || hardState.term < term)) {
      throw new InvariantViolation(
        'INV-2',
        `${from} sent ${kind} of term ${term} to ${to} while ${hardState === null ? 'no term' : `only term ${hardState.term}`} was durable.`,
        { message, hardState },
      )
    }
    if (term > member.sentTerm) member.sentTerm = term
    if (PROMISES.has(kind)) this.#holdVote(member, message)
    if (kind === 'voteAck' && message.granted === true) this.#checkHeldVote(member, message, term)
    const candidate = kind === 'vote' ? from : kind === 'voteAck' && message.granted === true ? to : null
    if (candidate === null || member.waived) return
    // A later term may be on disk by now; then the vote has been there, and cannot change any more.
    const durableVote = hardState?.term === term ? hardState.votedFor : member.durableVotes.get(term)
    if (durableVote !== candidate) {
      throw new InvariantViolation(
        'INV-2',
        `${from} promised its vote of term ${term} to ${candidate} in a ${kind} while its disk says (term ${hardState?.term ?? 0}, vote ${hardState?.votedFor ?? 'none'}).`,
        { message, hardState },
      )
    }
    this.#recordVote(from, term, candidate)
  }

  /** A leader's message reaches a member: an answer to it will be a promise from now on. */
  heard(member: MemberState, leader: PeerId, term: Term): void {
    const { nowMs } = this.#context.options
    if (nowMs !== undefined) member.heard = { leader, term, atMs: nowMs() }
  }

  #holdVote(member: MemberState, { to, term }: SentMessage): void {
    const { heard } = member
    if (heard === null || heard.leader !== to || heard.term !== term) return
    member.held = { leader: to, term, sinceMs: heard.atMs }
  }

  /** Who has answered a leader gives nobody else its vote for as long as that leader may count on it (INV-15). */
  #checkHeldVote(member: MemberState, { to }: SentMessage, term: Term): void {
    const { voteHeldMs, nowMs } = this.#context.options
    const { held } = member
    if (held === null || nowMs === undefined || voteHeldMs === undefined || voteHeldMs === null) return
    if (!this.checksLeases || member.waived || held.leader === to || held.term >= term) return
    const heldForMs = nowMs() - held.sinceMs
    if (heldForMs >= voteHeldMs) return
    // A leader that has fallen counts on nothing, and may have said so: also one that told its successor to campaign, which
    // on a transfer needs its vote to show to the others that it has.
    const leader = this.#context.member(held.leader).view
    if (leader?.alive !== true || leader.role !== 'leader' || leader.term !== held.term) return
    throw new InvariantViolation(
      'INV-15',
      `${member.id} granted its vote of term ${term} to ${to} only ${heldForMs.toFixed(1)} ms after it had heard and answered ${held.leader}, leader of term ${held.term}, which may count on it for ${voteHeldMs} ms.`,
    )
  }

  /** A record of term and vote becomes durable. */
  durableRecord(member: MemberState, { term, votedFor }: HardState): void {
    member.durableVotes.set(term, votedFor)
  }

  /** Term and vote on disk, after they changed. */
  checkDurable(member: MemberState): void {
    const now = this.#context.options.durable(member.id)?.hardState ?? null
    const before = member.durableHardState
    if (now === before || member.waived || (now === null && member.metaLost)) return
    if (before !== null) {
      if (now === null || now.term < before.term) {
        throw new InvariantViolation(
          'INV-3',
          `The durable term of ${member.id} went back from ${before.term} to ${now?.term ?? 'nothing'}.`,
        )
      }
      if (now.term === before.term && before.votedFor !== null && now.votedFor !== before.votedFor) {
        throw new InvariantViolation(
          'INV-2',
          `The durable vote of ${member.id} in term ${now.term} changed from ${before.votedFor} to ${now.votedFor ?? 'none'}.`,
        )
      }
    }
    member.durableHardState = now
  }

  /** A leader needs its own vote, on disk, also where nobody had to be asked. */
  #checkOwnVote(member: MemberState, term: Term): void {
    if (member.waived) return
    const hardState = this.#context.options.durable(member.id)?.hardState ?? null
    if (hardState?.term !== term || hardState.votedFor !== member.id) {
      throw new InvariantViolation(
        'INV-2',
        `${member.id} leads term ${term} while its disk says (term ${hardState?.term ?? 0}, vote ${hardState?.votedFor ?? 'none'}).`,
      )
    }
    this.#recordVote(member.id, term, member.id)
  }

  /** Whoever leads was promised the votes of a majority, which gave them to nobody else. */
  #checkMajority({ id, term, configuration }: NodeObservation): void {
    if (this.#context.options.seesEveryMessage !== true) return
    const votes = this.#votes.get(term)
    if (hasQuorum(configuration, (peer) => votes?.get(peer) === id || this.#context.member(peer).waived))
      return
    const voters = [...(votes ?? [])].filter(([, candidate]) => candidate === id).map(([voter]) => voter)
    throw new InvariantViolation(
      'INV-1',
      `${id} leads term ${term} with the votes of ${voters.join(', ')} only.`,
    )
  }

  #checkPromise(voter: PeerId, term: Term, candidate: PeerId): void {
    const promised = this.#votes.get(term)?.get(voter)
    if (promised === undefined || promised === candidate) return
    throw new InvariantViolation(
      'INV-2',
      `${voter} voted for ${promised} in term ${term}, and then for ${candidate}.`,
    )
  }

  #recordVote(voter: PeerId, term: Term, candidate: PeerId): void {
    this.#checkPromise(voter, term, candidate)
    let votes = this.#votes.get(term)
    if (votes === undefined) {
      votes = new Map()
      this.#votes.set(term, votes)
    }
    votes.set(voter, candidate)
  }

  #checkCompleteness(member: MemberState, view: NodeObservation): void {
    const { canon } = this.#context
    const invariant = this.afterTotalPowerLoss ? 'INV-19' : 'INV-6'
    const coveredIndex = view.snapshot?.index ?? 0
    for (let index = coveredIndex + 1; index <= canon.lastIndex; index++) {
      const record = canon.at(index)
      if (record === null || canon.committedInTerm(index) >= view.term) continue
      if (member.log.at(index) === record) continue
      throw new InvariantViolation(
        invariant,
        `${view.id} leads term ${view.term} without entry ${index} of term ${record.term}, which was committed in term ${canon.committedInTerm(index)}.`,
        { committed: record, found: member.log.at(index) },
      )
    }
    this.#checkQuorumArgument(view)
  }

  /** Every possible majority has somebody whose log is not older than what is committed. */
  #checkQuorumArgument(view: NodeObservation): void {
    const { canon } = this.#context
    const last = canon.at(canon.lastIndex)
    if (last === null || canon.committedInTerm(canon.lastIndex) >= view.term) return
    const isBehind = (id: PeerId): boolean => {
      if (this.#context.member(id).waived) return false
      const durable = this.#context.options.durable(id)
      if (durable === null) return true
      if ((durable.snapshot?.index ?? 0) >= last.index) return false
      const lastTerm = durable.entryAt(durable.lastIndex)?.term ?? durable.termBeforeFirst
      return lastTerm < last.term || (lastTerm === last.term && durable.lastIndex < last.index)
    }
    if (view.configuration.peers.length === 0 || !hasQuorum(view.configuration, isBehind)) return
    throw new InvariantViolation(
      'INV-6',
      `When ${view.id} was elected in term ${view.term}, a majority of disks was behind the committed entry ${last.index} of term ${last.term}.`,
    )
  }
}
