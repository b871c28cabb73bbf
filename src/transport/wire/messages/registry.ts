// Every message that members send to each other. A new one is a file beside this one and a line here; codecs, traces,
// faults and the page docs/protocol.md follow from it.

import type { PeerId } from '../../../rules/types.ts'
import { appendEntries } from './append-entries.ts'
import { getFile } from './get-file.ts'
import { heartbeat } from './heartbeat.ts'
import { installSnapshot } from './install-snapshot.ts'
import type { Layout, Message } from './message.ts'
import { preVote } from './pre-vote.ts'
import { readIndex } from './read-index.ts'
import { requestVote } from './request-vote.ts'
import { timeoutNow } from './timeout-now.ts'

const REGISTRY = {
  pre_vote: preVote,
  request_vote: requestVote,
  append_entries: appendEntries,
  heartbeat,
  timeout_now: timeoutNow,
  read_index: readIndex,
  install_snapshot: installSnapshot,
  get_file: getFile,
} as const

type Registry = typeof REGISTRY
type ReadIn<L> = L extends Layout<infer M, infer _Sent> ? M : never
type SentIn<L> = L extends Layout<infer _M, infer Sent> ? Sent : never

export type RpcMethod = keyof Registry
export type RequestOf<M extends RpcMethod> = ReadIn<Registry[M]['request']>
export type ResponseOf<M extends RpcMethod> = ReadIn<Registry[M]['answer']>
/** An answer as a member may say it: what was added later may be left out. */
export type SentResponseOf<M extends RpcMethod> = ResponseOf<M> | SentIn<Registry[M]['answer']>
/** What traces, faults and scenarios call the request. */
export type KindOf<M extends RpcMethod> = Registry[M]['kind']

/** The description of each message, by the method that is the last token of its subject. */
export const MESSAGES: {
  readonly [M in RpcMethod]: Message<RequestOf<M>, ResponseOf<M>, SentResponseOf<M>> & {
    readonly kind: KindOf<M>
  }
} = REGISTRY

export const RPC_METHODS: readonly RpcMethod[] = Object.keys(REGISTRY).filter(isRpcMethod)

export function isRpcMethod(name: string): name is RpcMethod {
  return Object.hasOwn(REGISTRY, name)
}

/** A request as it arrives at a node: discriminated by method. */
export type InboundRequest<M extends RpcMethod = RpcMethod> = {
  readonly [K in M]: { readonly method: K; readonly from: PeerId; readonly message: RequestOf<K> }
}[M]

export type { AppendEntriesRequest, AppendEntriesResponse } from './append-entries.ts'
export type { GetFileRequest, GetFileResponse } from './get-file.ts'
export type { InstallSnapshotResponse } from './install-snapshot.ts'
export type { RequestVoteRequest, RequestVoteResponse } from './request-vote.ts'
