// Calls between members, as a port: what a node sees of the bus. One object per host carries all its groups.

import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { RemoteError, RemoteErrorCode } from '../wire/messages/error-answer.ts'
import type {
  InboundRequest,
  RequestOf,
  ResponseOf,
  RpcMethod,
  SentResponseOf,
} from '../wire/messages/registry.ts'

/** Why a call has no answer. None of them says whether the request was carried out. */
export type RpcFailureCode =
  | 'BUS_DOWN' // it did not leave, or the connection was lost before its answer came
  | 'TIMEOUT' // no answer in time
  | 'NO_RESPONDERS' // nobody listens there
  | 'REFUSED' // answered with an error; `remoteCode` says which
  | 'CLOSED' // this side closed meanwhile

export interface RpcFailure {
  readonly code: RpcFailureCode
  readonly remoteCode?: RemoteErrorCode
  readonly message: string
}

export type RpcOutcome<T> =
  | { readonly ok: true; readonly response: T }
  | { readonly ok: false; readonly failure: RpcFailure }

export type { RemoteError, RemoteErrorCode }

/** Answers one request, once; a second call is ignored. */
export type Reply<M extends RpcMethod = RpcMethod> = (
  outcome:
    | { readonly ok: true; readonly response: SentResponseOf<M> }
    | { readonly ok: false; readonly error: RemoteError },
) => void

export type RequestHandler = (request: InboundRequest, reply: Reply) => void

export interface PeerRpc {
  /**
   * Sends a request to member `to` of `group`. `done` is called exactly once, never before `call` returns: with the
   * answer, after `timeoutMs`, or at once when it cannot leave.
   */
  call<M extends RpcMethod>(
    group: string,
    to: PeerId,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void
  /**
   * Routes this host's requests for `group` to `handler`. Requests for groups nobody serves are answered ENOENT. With
   * `member.ownTerm`, requests and answers that name a term which it should not believe are dropped.
   */
  serve(group: string, handler: RequestHandler, member?: ServedMember): { stop(): void }
  /**
   * This host carries several groups: heartbeats travel together, and idle groups may sleep on the word of the process at the
   * other end (rules/quiescence.ts).
   */
  readonly sharesProcess: boolean
  /** A heartbeat, alone or with those of other groups to the same process. `done` is called as in `call`. */
  heartbeat(to: PeerId, call: HeartbeatCall): void
  /** Asks the follower at `to` to sleep. */
  askToSleep(to: PeerId, wish: SleepWish): void
  /** Room for entries, heads included, in one AppendEntries on this bus now, in bytes. */
  readonly maxFrameBytes: number
  /**
   * Watches whether the process of member `to` is on the bus at all, by asking now and then when it has not been heard. Costs
   * nothing while it is heard, and one question for all groups that watch the same process.
   */
  watchPresence(to: PeerId, wish: PresenceWish): PresenceHandle
  close(): void
}

/** A heartbeat of one group to one of its followers. */
export interface HeartbeatCall {
  readonly group: string
  readonly request: RequestOf<'heartbeat'>
  readonly timeoutMs: number
  readonly done: (outcome: RpcOutcome<ResponseOf<'heartbeat'>>) => void
}

/** What a host asks of a member that it serves. None of it may throw. */
export interface ServedMember {
  readonly ownTerm?: () => Term
  /** The leader has nothing to say any more. Who agrees says so before this returns, or a turn later not at all. */
  readonly fallAsleep?: (ask: SleepAsk) => void
}

/**
 * A leader's wish that a follower of its group sleeps: no heartbeats are sent to it while the two processes are in touch. `sleepsOn` and
 * `pulse` are asked of each that sleeps before every message: they throw nothing and make nothing.
 */
export interface SleepWish {
  readonly group: string
  readonly term: Term
  readonly lastIndex: LogIndex
  /** Of sleep (rules/quiescence.ts). */
  intervalMs(): number
  /** This leadership goes on. Asked before every message. */
  sleepsOn(nowMs: number): boolean
  /** Comes before each word to the process of the follower, for as long as it sleeps. */
  pulse(): void
  /** It is not vouched for any more. */
  roused(): void
  /** It sleeps, and is vouched for so; null: it does not sleep. Called once, never before `askToSleep` returns. */
  done(vouched: Vouched | null): void
}

/**
 * When the other process has vouched last for all of its groups that sleep: on the leaders' side, when that was sent which it has
 * answered so. One for all of them, so that nothing has to be told to each.
 */
export interface Vouched {
  readonly atMs: number
}

/** A follower is asked to sleep. */
export interface SleepAsk {
  readonly from: PeerId
  readonly term: Term
  readonly lastIndex: LogIndex
  readonly vouched: Vouched
  agree(sleep: Sleep): void
}

/** A follower that sleeps on the word of its leader's process. `sleepsOn` as for the leader's wish. */
export interface Sleep {
  /** Of sleep (rules/quiescence.ts). */
  intervalMs(): number
  /** It still follows that leader in that term. Asked at every message. */
  sleepsOn(): boolean
  /** It does not any more, or is not heard. */
  roused(): void
}

export interface PresenceWish {
  /** In whose name it is asked. */
  readonly group: string
  readonly heartbeatMs: () => number
  /** How often the process is heard when all is well. */
  readonly wordMs: () => number
  /** The bus has said, more than once, that nobody listens there. */
  readonly absent: () => void
}

export interface PresenceHandle {
  /** As far as is known now. */
  readonly isAbsent: boolean
  /** How many watch the same process. */
  readonly watchers: number
  /** Somebody else misses it: asks at once, unless it was heard just now. */
  askNow(): void
  stop(): void
}

/**
 * The last token of the subject on which a process is asked whether it is there. It is no method that a member carries out: whoever
 * is there answers that it does not know it, and that is all one wants to know. So do members of earlier versions.
 */
export const PRESENCE = 'presence'
