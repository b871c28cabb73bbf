// What members say to each other, as plain values. The codec turns them into CBOR tuples and back; the table in
// docs/protocol.md lists who sends which to whom, and the rule that answers.

import type { LogEntry, LogIndex, PeerId, Term } from '../../rules/types.ts'

/** Paper figure 2 RequestVote; the same shape asks for a pre-vote (thesis section 9.6), where `term` is current + 1. */
export interface RequestVoteRequest {
  readonly term: Term
  readonly lastLogIndex: LogIndex
  readonly lastLogTerm: Term
  /** The leader known to have given up its lease, so that voters need not wait for theirs (braft TermLeader). */
  readonly disruptedLeader: { readonly peer: PeerId; readonly term: Term } | null
}

export interface RequestVoteResponse {
  readonly term: Term
  readonly granted: boolean
  /** The log would do, but the voter still waits for a leader's lease to end. */
  readonly rejectedByLease: boolean
  /** The voter was leader when asked. */
  readonly disrupted: boolean
  /** The voter's term before it looked at the request. */
  readonly previousTerm: Term
}

/** Paper figure 2 AppendEntries. Without entries it is a probe, or a heartbeat when sent as such. */
export interface AppendEntriesRequest {
  readonly term: Term
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  readonly committedIndex: LogIndex
  /** Contiguous, the first one at `prevLogIndex + 1`. */
  readonly entries: readonly LogEntry[]
}

export interface AppendEntriesResponse {
  readonly term: Term
  readonly success: boolean
  /** The follower's last index, a hint for backing off. Never an acknowledgement. */
  readonly lastLogIndex: LogIndex
}

export interface TimeoutNowRequest {
  readonly term: Term
  readonly oldLeaderSteppedDown: boolean
}

export interface TimeoutNowResponse {
  readonly term: Term
  readonly success: boolean
}

/** A follower asks its leader for a safe read position (thesis section 6.4). */
export interface ReadIndexRequest {
  readonly term: Term
}

export interface ReadIndexResponse {
  readonly term: Term
  readonly index: LogIndex
}

export interface RpcMessages {
  pre_vote: { request: RequestVoteRequest; response: RequestVoteResponse }
  request_vote: { request: RequestVoteRequest; response: RequestVoteResponse }
  append_entries: { request: AppendEntriesRequest; response: AppendEntriesResponse }
  heartbeat: { request: AppendEntriesRequest; response: AppendEntriesResponse }
  timeout_now: { request: TimeoutNowRequest; response: TimeoutNowResponse }
  read_index: { request: ReadIndexRequest; response: ReadIndexResponse }
}

export type RpcMethod = keyof RpcMessages
export type RequestOf<M extends RpcMethod> = RpcMessages[M]['request']
export type ResponseOf<M extends RpcMethod> = RpcMessages[M]['response']

/** A request as it arrives at a node: discriminated by method. */
export type InboundRequest = {
  [M in RpcMethod]: { readonly method: M; readonly from: PeerId; readonly message: RequestOf<M> }
}[RpcMethod]
