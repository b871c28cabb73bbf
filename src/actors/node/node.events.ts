// Everything a node's chart can hear, and what it says to those who listen.

import type { QuorateError } from '../../errors.ts'
import type { Retiming } from '../../rules/timing.ts'
import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { Role } from '../../status.ts'
import type { Reply, SleepAsk } from '../../transport/rpc/peer-rpc.ts'
import {
  type InboundRequest,
  type RequestVoteResponse,
  RPC_METHODS,
  type RpcMethod,
} from '../../transport/wire/messages/registry.ts'
import type { Proposal } from '../apply/closures.ts'
import type { LogPort } from '../log.machine.ts'
import type { AskedChange, ChangeReport } from '../membership/change-world.ts'
import type { AskedReset } from '../membership/reset.ts'
import type { SnapshotReport } from '../snapshot/snapshot-world.ts'
import type { SnapshotOutcome } from '../snapshot/snapshots.ts'
import type { TimerFired } from '../timer.machine.ts'
import type { AskedTransfer } from './handover.ts'

/** A request of another member, named by its method, with the door for the answer. */
export type RpcEvent<M extends RpcMethod = RpcMethod> = {
  readonly [K in M]: InboundRequest<K> & {
    readonly type: `rpc.${K}`
    readonly reply: Reply
    /** When it came. Whatever is judged about it is judged at this time, by guard and action alike. */
    readonly receivedMs: number
  }
}[M]

export type ReadOutcome =
  | { readonly ok: true; readonly index: LogIndex }
  | { readonly ok: false; readonly error: QuorateError }

/** A read that waits for a safe position. `done` is called exactly once with the position, or why there is none. */
export interface PendingRead {
  readonly level: 'readIndex' | 'lease'
  readonly done: (outcome: ReadOutcome) => void
}

/** An answer to one of this node's campaigns; `version` and `sentTerm` tell whether it still matters. */
interface CampaignAnswer {
  readonly version: number
  readonly sentTerm: Term
  readonly from: PeerId
  readonly response: RequestVoteResponse
}

export type NodeEvent =
  | RpcEvent
  | { readonly type: 'init' }
  | { readonly type: 'log.opened'; readonly port: LogPort }
  | { readonly type: 'log.failed'; readonly error: Error }
  | { readonly type: 'log.durable' }
  | { readonly type: 'hardState.durable'; readonly version: number }
  | { readonly type: 'hardState.failed'; readonly error: Error }
  | SnapshotReport
  /** Null: to the best. */
  | {
      readonly type: 'transfer'
      readonly to: PeerId | null
      readonly atMs: number
      readonly asked: AskedTransfer
    }
  /** Stand for election at once; with other timeouts, unless they are null. `asked` hears why not. */
  | {
      readonly type: 'vote'
      readonly timing: Retiming | null
      readonly asked: (error: QuorateError | null) => void
    }
  | { readonly type: 'transfer.refused'; readonly term: Term; readonly target: PeerId }
  | { readonly type: 'transfer.late' }
  | { readonly type: 'snapshot'; readonly asked: (outcome: SnapshotOutcome) => void }
  | { readonly type: 'change'; readonly asked: AskedChange }
  | ChangeReport
  /** An operator forces who the members are. */
  | { readonly type: 'reset'; readonly peers: readonly PeerId[]; readonly asked: AskedReset }
  | { readonly type: 'reset.late'; readonly asked: AskedReset }
  | TimerFired
  /** The bus says that the process of this leader is gone. */
  | { readonly type: 'leader.absent'; readonly leader: PeerId }
  /** The leader has nothing to say any more, and its process will vouch for it. */
  | { readonly type: 'sleep'; readonly ask: SleepAsk }
  /** The process of the leader is silent, or does not vouch for it any more. */
  | { readonly type: 'roused' }
  /** A follower that slept is to be sent heartbeats again. */
  | { readonly type: 'follower.roused'; readonly term: Term }
  | ({ readonly type: 'preVote.answered' } & CampaignAnswer)
  | ({ readonly type: 'vote.answered' } & CampaignAnswer)
  | { readonly type: 'term.higher'; readonly term: Term }
  | { readonly type: 'replica.matched'; readonly term: Term }
  | { readonly type: 'propose'; readonly proposals: readonly Proposal[] }
  | { readonly type: 'read'; readonly reads: readonly PendingRead[] }
  | {
      readonly type: 'round.answered'
      readonly round: number
      readonly from: PeerId
      readonly confirmed: boolean
    }
  | { readonly type: 'round.retry'; readonly round: number }
  | { readonly type: 'applied'; readonly index: LogIndex; readonly bytes: number }
  | { readonly type: 'apply.failed'; readonly error: Error }
  | { readonly type: 'fatal'; readonly error: Error }
  | { readonly type: 'shutdown' }
  | { readonly type: 'farewell.said' }
  | { readonly type: 'applyQueue.stopped' }
  | { readonly type: 'store.closed' }

export type EventType = NodeEvent['type']
export type EventOf<T extends EventType> = Extract<NodeEvent, { type: T }>

export function isOneOf<T extends EventType>(event: NodeEvent, types: readonly T[]): event is EventOf<T> {
  return types.some((type) => type === event.type)
}

/** Events that speak alike. */
export const FROM_LEADER = ['rpc.append_entries', 'rpc.heartbeat', 'rpc.install_snapshot'] as const
/** What is said in one leadership, and means nothing in another. */
export const OF_A_TERM = ['replica.matched', 'followers.due', 'change.left', 'follower.roused'] as const
export const ANSWERS = ['preVote.answered', 'vote.answered'] as const
export const FAILURES = [
  'log.failed',
  'hardState.failed',
  'snapshot.failed',
  'apply.failed',
  'fatal',
] as const
export const RPCS = RPC_METHODS.map((method) => `rpc.${method}` as const)

/** What the actor emits: subscribe with `actor.on(type, handler)`. */
export type NodeEmitted =
  | {
      readonly type: 'role'
      readonly from: Role
      readonly to: Role
      readonly term: Term
      readonly reason: string
    }
  | { readonly type: 'leader'; readonly leader: PeerId | null; readonly term: Term }
  | { readonly type: 'failed'; readonly error: Error }
