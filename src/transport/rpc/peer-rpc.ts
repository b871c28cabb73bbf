// Calls between members, as a port: what a node sees of the bus. One object per host carries all its groups.

import type { PeerId, Term } from '../../rules/types.ts'
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
   * `ownTerm`, the term of the member, requests and answers that name a term which it should not believe are dropped.
   */
  serve(group: string, handler: RequestHandler, ownTerm?: () => Term): { stop(): void }
  /** Room for entries, heads included, in one AppendEntries on this bus now, in bytes. */
  readonly maxFrameBytes: number
  /**
   * Watches whether the process of member `to` is on the bus at all, by asking now and then when it has not been heard. Costs
   * nothing while it is heard, and one question for all groups that watch the same process.
   */
  watchPresence(to: PeerId, wish: PresenceWish): PresenceHandle
  close(): void
}

export interface PresenceWish {
  /** In whose name it is asked. */
  readonly group: string
  /** How often the process is heard when all is well. */
  readonly heartbeatMs: () => number
  /** The bus has said, more than once, that nobody listens there. */
  readonly absent: () => void
}

export interface PresenceHandle {
  /** As far as is known now. */
  readonly isAbsent: boolean
  /** Somebody else misses it: asks at once, unless it was heard just now. */
  askNow(): void
  stop(): void
}

/**
 * The last token of the subject on which a process is asked whether it is there. It is no method that a member carries out: whoever
 * is there answers that it does not know it, and that is all one wants to know. So do members of earlier versions.
 */
export const PRESENCE = 'presence'
