// What is asked of one simulated member, as its embedding application asks: no other member is tried.

import type { ElectionTimeoutOptions, ReadLevel } from '../api.ts'
import type { QuorateError } from '../errors.ts'
import type { ChangeWish } from '../rules/change.ts'
import type { PeerId } from '../rules/types.ts'
import type {
  ChangeAnswer,
  DirectCalls,
  ProposalAnswer,
  QueryAnswer,
  SnapshotAnswer,
  TransferAnswer,
  WishedMembers,
} from './direct-calls.ts'
import { SimulationFaults } from './simulation-faults.ts'
import type { TimeDriver } from './time/time-driver.ts'

export abstract class SimulationCalls extends SimulationFaults {
  protected abstract readonly direct: DirectCalls
  protected abstract readonly time: TimeDriver

  /**
   * Proposes `command` on member `id`, as its embedding application would with `node.apply`: no other member is tried.
   * Resolves, in virtual time, with `ok` and what the machine returned; with `failed` when the command certainly never
   * takes effect; with `unknown` when it may (also when the member dies first, or says nothing for `timeoutMs`).
   */
  propose(id: PeerId, command: unknown, timeoutMs = 5000): Promise<ProposalAnswer> {
    const member = this.member(id)
    return this.time.awaited((resolve) => this.direct.propose(member, command, timeoutMs, resolve))
  }

  /** Queries the machine on member `id`, as `node.read` would. Default level: `readIndex`. */
  query(id: PeerId, query: unknown, level: ReadLevel = 'readIndex', timeoutMs = 5000): Promise<QueryAnswer> {
    const member = this.member(id)
    return this.time.awaited((resolve) => this.direct.query(member, query, level, timeoutMs, resolve))
  }

  /** Asks member `id` for a snapshot, as `node.snapshot` would. */
  snapshot(id: PeerId, timeoutMs = 60_000): Promise<SnapshotAnswer> {
    const member = this.member(id)
    return this.time.awaited((resolve) => this.direct.snapshot(member, timeoutMs, resolve))
  }

  /** Asks member `id` to hand leadership to `to`, or to the best one, as `node.transferLeadership` would. */
  transfer(id: PeerId, to: PeerId | null = null, timeoutMs = 60_000): Promise<TransferAnswer> {
    const member = this.member(id)
    return this.time.awaited((resolve) => this.direct.transfer(member, to, timeoutMs, resolve))
  }

  /** Asks member `id` to stand for election, as `node.vote` would. Resolves with why it does not; null: it does. */
  vote(id: PeerId, electionTimeoutMs?: number): Promise<QuorateError | null> {
    const member = this.member(id)
    return this.time.awaited((resolve) =>
      member.enter(() => member.node?.vote(electionTimeoutMs, (error) => resolve(error))),
    )
  }

  /** Makes member `id` read-only, or not any more, as `node.setReadonly` would. */
  setReadonly(id: PeerId, on: boolean): void {
    const member = this.member(id)
    member.enter(() => {
      // Whoever has ended, or is about to, is told nothing.
      const { node } = member
      if (node === null || node.hasEnded || ['error', 'shuttingDown'].includes(member.status().role)) return
      node.setReadonly(on)
    })
  }

  /** The same for plans, which do not wait. */
  askForVote(id: PeerId, electionTimeoutMs?: number): void {
    const member = this.member(id)
    member.enter(() => member.node?.vote(electionTimeoutMs, () => {}))
  }

  /** Sets the election timeout of member `id` anew, as `node.resetElectionTimeout` would. */
  resetElectionTimeout(id: PeerId, options: ElectionTimeoutOptions): void {
    const member = this.member(id)
    member.enter(() => member.node?.retime(options))
  }

  /** The same with a callback, for plans. */
  askForTransfer(id: PeerId, to: PeerId | null, done: (answer: TransferAnswer) => void): void {
    this.direct.transfer(this.member(id), to, 60_000, done)
  }

  /** Wishes other members of member `id`, as `node.changePeers` and its kin would. */
  change(
    id: PeerId,
    wish: ChangeWish,
    expect?: readonly PeerId[],
    timeoutMs = 60_000,
  ): Promise<ChangeAnswer> {
    const member = this.member(id)
    return this.time.awaited((resolve) => this.direct.change(member, { wish, expect }, timeoutMs, resolve))
  }

  /**
   * Forces on member `id` who the members are, as `node.resetPeers` would. The checker takes it for the word of an operator who
   * knows that all others are lost: the majorities of before bind nobody any more.
   */
  resetPeers(id: PeerId, peers: readonly PeerId[], timeoutMs = 60_000): Promise<ChangeAnswer> {
    const member = this.member(id)
    return this.time.awaited((resolve) => this.direct.resetPeers(member, peers, timeoutMs, resolve))
  }

  /** The same with a callback, for plans. */
  askForChange(
    id: PeerId,
    wished: WishedMembers,
    timeoutMs: number,
    done: (answer: ChangeAnswer) => void,
  ): void {
    this.direct.change(this.member(id), wished, timeoutMs, done)
  }

  /** The same with a callback, for plans. */
  askForSnapshot(id: PeerId, done: () => void): void {
    this.direct.snapshot(this.member(id), 60_000, done)
  }
}
