// What members tell, made by hand.

import type { MemberView } from '../../../src/page/browser/logic/member-view.ts'
import type { FeedBatch, FeedItem, FeedPicture, FeedStatus } from '../../../src/protocol/feed-protocol.ts'

export function statusOf(fields: Partial<FeedStatus> = {}): FeedStatus {
  return {
    ...{ role: 'follower', term: 1, leader: 'n1', votedFor: null, membership: 'voter' },
    ...{ peers: ['n1', 'n2', 'n3'], oldPeers: [], learners: [], witnesses: [] },
    ...{ firstIndex: 1, lastIndex: 100, durableIndex: 100, commitIndex: 100, appliedIndex: 100 },
    ...{ pendingProposals: 0, pendingBytes: 0, undurableBytes: 0, leaseValid: false },
    ...{ leaderAliveUntilMs: null, electionTimeoutMs: 1000, timers: [], replicators: [], change: null },
    ...{
      snapshot: { index: 0, state: 'idle', doneBytes: 0, totalBytes: 0 },
      commitLatency: null,
      diskWrites: null,
      error: null,
    },
    ...fields,
  }
}

export function pictureOf(node: string, fields: Partial<FeedPicture> = {}): FeedPicture {
  const actors = [{ id: node, parent: null, chart: 'node', state: 'active.follower.waiting' }]
  return {
    ...{ ok: true, v: 1, group: 'g', node, boot: 'a', seq: 0, atMs: 0, leaseMs: 5000 },
    ...{ actors, charts: {}, more: [], status: statusOf(), ...fields },
  }
}

export function batchOf(node: string, seq: number, ...items: FeedItem[]): FeedBatch {
  return { v: 1, group: 'g', node, boot: 'a', seq, atMs: 0, dropped: 0, items }
}

export function viewWith(
  id: string,
  condition: MemberView['condition'],
  commit = 100,
  peers = ['n1', 'n2', 'n3'],
): MemberView {
  const indexes = { last: commit, durable: commit, commit, applied: commit }
  const status = statusOf({ peers, commitIndex: commit })
  return { id, condition, term: 1, leader: 'n1', indexes, marks: [], problem: null, status }
}
