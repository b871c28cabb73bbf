// What a member keeps while it follows: the promise to its leader, what the leader has vouched for, and the
// acknowledgements that wait for the disk.

import { type FollowerLease, NO_FOLLOWER_LEASE } from '../../rules/lease.ts'
import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { PresenceHandle, Reply, Sleep } from '../../transport/rpc/peer-rpc.ts'
import type { PendingRead } from './node.events.ts'

/** An append whose acknowledgement waits for the disk. */
export interface PendingAck {
  readonly term: Term
  readonly matchIndex: LogIndex
  readonly reply: Reply
}

export class Following {
  /** Until when the vote is promised, and to whom. */
  lease: FollowerLease = NO_FOLLOWER_LEASE
  /** As far as a current leader has vouched for commitment and for this log; counts once durable. */
  vouchedCommitIndex: LogIndex = 0
  pendingAcks: PendingAck[] = []
  /** Of the process of `lease.lastLeader` on the bus; null: nobody is followed. */
  presence: PresenceHandle | null = null
  /** It sleeps on the word of that process; null: it does not. */
  sleep: Sleep | null = null
  /** The term in which `lease.lastLeader` was followed; 0: none yet. */
  leaderTerm: Term = 0
  /** Reads that the leader has been asked about, by question. */
  readonly forwarded = new Set<readonly PendingRead[]>()

  /** The leader was heard. */
  heard(leader: PeerId, atMs: number): void {
    this.lease = { lastLeader: leader, lastContactMs: atMs }
  }

  /** The promise is void; who it was given to is remembered. */
  release(): void {
    this.lease = { lastLeader: this.lease.lastLeader, lastContactMs: null }
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
