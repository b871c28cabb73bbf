// What a member keeps while it follows: the promise to its leader, what the leader has vouched for, and the
// acknowledgements that wait for the disk.

import { type FollowerLease, NO_FOLLOWER_LEASE } from '../../rules/lease.ts'
import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { PresenceHandle, Reply, Sleep, Vouched } from '../../transport/rpc/peer-rpc.ts'
import type { PendingRead } from './node.events.ts'

/** An append whose acknowledgement waits for the disk. */
export interface PendingAck {
  readonly term: Term
  readonly matchIndex: LogIndex
  readonly reply: Reply
}

const NEVER: Vouched = { atMs: Number.NEGATIVE_INFINITY }

export class Following {
  /** As far as a current leader has vouched for commitment and for this log; counts once durable. */
  vouchedCommitIndex: LogIndex = 0
  pendingAcks: PendingAck[] = []
  /** Of the process of `lease.lastLeader` on the bus; null: nobody is followed. */
  presence: PresenceHandle | null = null
  /** Nobody listens there, and the first turn to seek votes was taken. */
  hasStood = false
  /** What the last answer to a heartbeat said: whether this member is read-only. Null: none has been given. */
  saidReadonly: boolean | null = null
  /** The term in which `lease.lastLeader` was followed; 0: none yet. */
  leaderTerm: Term = 0
  /** Reads that the leader has been asked about, by question. */
  readonly forwarded = new Set<readonly PendingRead[]>()

  #lease: FollowerLease = NO_FOLLOWER_LEASE
  #sleep: Sleep | null = null
  #vouched: Vouched = NEVER
  /** What was vouched for until then has been given up. */
  #voidUntilMs = Number.NEGATIVE_INFINITY

  /** Until when the vote is promised, and to whom. Of one that sleeps the process of its leader renews it. */
  get lease(): FollowerLease {
    const { atMs } = this.#vouched
    const { lastLeader, lastContactMs } = this.#lease
    if (atMs <= this.#voidUntilMs || atMs <= (lastContactMs ?? Number.NEGATIVE_INFINITY)) return this.#lease
    return { lastLeader, lastContactMs: atMs }
  }

  set lease(lease: FollowerLease) {
    this.#lease = lease
  }

  /** It sleeps on the word of its leader's process; null: it does not. */
  get sleep(): Sleep | null {
    return this.#sleep
  }

  fallAsleep(sleep: Sleep, leader: PeerId, vouched: Vouched): void {
    this.#lease = { lastLeader: leader, lastContactMs: this.lease.lastContactMs }
    this.#voidUntilMs = Number.NEGATIVE_INFINITY
    this.#sleep = sleep
    this.#vouched = vouched
  }

  /** What is vouched for from now on is not vouched for this one. */
  wakeUp(): void {
    this.#lease = this.lease
    this.#sleep = null
    this.#vouched = NEVER
  }

  /** The leader was heard. */
  heard(leader: PeerId, atMs: number): void {
    this.#lease = { lastLeader: leader, lastContactMs: atMs }
  }

  /** The promise is void; who it was given to is remembered. */
  release(): void {
    this.#voidUntilMs = this.#vouched.atMs
    this.#lease = { lastLeader: this.lease.lastLeader, lastContactMs: null }
  }

  /** Takes every read that waits for a leader's word; nobody else will answer them. */
  takeForwarded(): readonly PendingRead[] {
    const taken = [...this.forwarded].flat()
    this.forwarded.clear()
    return taken
  }

  takeAcks(): readonly PendingAck[] {
    const taken = this.pendingAcks
    this.pendingAcks = []
    return taken
  }
}
