// What a node says to the machine that holds it, and what it can be asked to do there.

import type { Snapshot } from 'xstate'
import type {
  ConfigurationInfo,
  Host,
  LeadershipInfo,
  RaftNode,
  ReadLevel,
  RoleChange,
  SnapshotInfo,
  StartNodeOptions,
} from '../api.ts'
import type { QuorateError } from '../errors.ts'
import type { LogIndex, PeerId, Term } from '../rules/types.ts'
import type { Role } from '../status.ts'

/** What `raftNode` is invoked or spawned with: where it runs, and what `host.startNode` takes. */
export interface RaftNodeInput extends StartNodeOptions {
  readonly host: Host
}

/** How the node is, as of the last thing that was told of it. Plain values. */
export interface RaftNodeView {
  readonly group: string
  readonly id: PeerId
  readonly role: Role
  readonly term: Term
  readonly leader: PeerId | null
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  /** What stopped the node; null: nothing did. */
  readonly failure: string | null
}

export type RaftNodeSnapshot = Snapshot<undefined> & RaftNodeView

/** What comes to the parent by itself: add it to the events of the machine. */
export type RaftNews =
  /** The node takes part in its group. What it is by then follows as `raft.role`. */
  | { readonly type: 'raft.ready'; readonly node: RaftNode }
  | ({ readonly type: 'raft.role' } & RoleChange)
  | { readonly type: 'raft.leader'; readonly leader: PeerId | null; readonly term: Term }
  /** The node has stopped, and shows no way back: leave the state that holds it. */
  | { readonly type: 'raft.error'; readonly error: Error }
  | ({ readonly type: 'raft.membership' } & ConfigurationInfo)
  | ({ readonly type: 'raft.snapshot' } & SnapshotInfo)

/** Whatever the caller gave comes back with the answer. */
export type CallId = string | number

interface Answer<Type extends string> {
  readonly type: Type
  readonly id: CallId | undefined
}

export interface RaftApplied extends Answer<'raft.applied'> {
  readonly index: LogIndex
  readonly term: Term
  readonly result: unknown
}

export interface RaftAnswered extends Answer<'raft.answered'> {
  readonly answer: unknown
}

export interface RaftSaved extends Answer<'raft.saved'> {
  readonly snapshot: SnapshotInfo
}

export interface RaftTransferred extends Answer<'raft.transferred'>, LeadershipInfo {}

/** `error.outcome` says whether the command was applied, `error.retryable` whether to ask again. */
export interface RaftRefused extends Answer<'raft.refused'> {
  readonly error: QuorateError
}

/** Where an answer goes: an actor whose events have it. */
export interface ReplyTo<A> {
  send(answer: A): void
}

interface Call<Type extends string, A> {
  readonly type: Type
  /** Echoed. Goes into the answer, never into the type of an event. */
  readonly id?: CallId
  /** Left out: only a refusal is told, and to the parent. */
  readonly reply?: ReplyTo<A | RaftRefused>
}

export interface ApplyCall extends Call<'apply', RaftApplied> {
  readonly command: unknown
  readonly expectedTerm?: Term
}

export interface ReadCall extends Call<'read', RaftAnswered> {
  readonly query: unknown
  readonly level?: ReadLevel
}

export interface TransferCall extends Call<'transfer', RaftTransferred> {
  readonly to?: PeerId
}

export type RaftCall = ApplyCall | ReadCall | Call<'snapshot', RaftSaved> | TransferCall

/** `raft.look` is what the node sends to itself; of others it changes nothing. */
export type RaftNodeEvent = RaftCall | { readonly type: 'raft.look' }
