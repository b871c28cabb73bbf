// The other members, played by the test: what the node asks of them, and what they ask of the node.

import type {
  HeartbeatCall,
  PeerRpc,
  PresenceHandle,
  PresenceWish,
  RemoteError,
  Reply,
  RequestHandler,
  RpcFailureCode,
  RpcOutcome,
  SleepWish,
} from '../../../src/transport/rpc/peer-rpc.ts'
import { decodeResponse, encodeResponse } from '../../../src/transport/wire/codec.ts'
import type {
  InboundRequest,
  RequestOf,
  RequestVoteResponse,
  ResponseOf,
  RpcMethod,
  SentResponseOf,
} from '../../../src/transport/wire/messages/registry.ts'

/** A call of the node that waits for its answer. */
export interface OutboundCall<M extends RpcMethod> {
  readonly to: string
  readonly method: M
  readonly request: RequestOf<M>
  readonly timeoutMs: number
  readonly isOpen: boolean
  answer(response: SentResponseOf<M>): void
  fail(code: RpcFailureCode, remoteCode?: RemoteError['code']): void
}

/** What the node answered to a request of the test. */
export interface Answer {
  /** Null while it says nothing. */
  outcome: Parameters<Reply>[0] | null
  readonly response: SentResponseOf<RpcMethod>
  readonly errorCode: string | null
}

type Calls = { readonly [M in RpcMethod]: OutboundCall<M>[] }

export class FakeRpc implements PeerRpc {
  maxFrameBytes = 1024 * 1024
  joinError: Error | null = null
  #handler: RequestHandler | null = null
  #calls: Calls = emptyCalls()

  call<M extends RpcMethod>(
    _group: string,
    to: string,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void {
    let open = true
    const end = (outcome: RpcOutcome<ResponseOf<M>>): void => {
      if (!open) throw new Error(`${method} to ${to} was answered twice`)
      open = false
      done(outcome)
    }
    this.#calls[method].push({
      to,
      method,
      request,
      timeoutMs,
      get isOpen() {
        return open
      },
      answer: (response) => end({ ok: true, response: asItArrives(to, method, response) }),
      fail: (code, remoteCode) =>
        end({
          ok: false,
          failure: remoteCode === undefined ? { code, message: code } : { code, remoteCode, message: code },
        }),
    })
  }

  /** Other groups are carried here, too. */
  sharesProcess = false
  readonly wishes: SleepWish[] = []
  /** What the other processes say of those who sleep: the test sets it. */
  readonly vouched = { atMs: Number.NEGATIVE_INFINITY }

  heartbeat(to: string, { group, request, timeoutMs, done }: HeartbeatCall): void {
    this.call(group, to, 'heartbeat', request, timeoutMs, done)
  }

  askToSleep(_to: string, wish: SleepWish): void {
    this.wishes.push(wish)
  }

  serve(_group: string, handler: RequestHandler): { stop(): void } {
    if (this.joinError !== null) throw this.joinError
    this.#handler = handler
    return {
      stop: () => {
        this.#handler = null
      },
    }
  }

  /** What the bus says of processes: the test sets it, and calls `absent` of who watches. */
  readonly watched = new Map<string, PresenceWish>()
  readonly absent = new Set<string>()
  readonly askedEarly: string[] = []

  watchPresence(to: string, wish: PresenceWish): PresenceHandle {
    this.watched.set(to, wish)
    const { absent } = this
    return {
      get isAbsent() {
        return absent.has(to)
      },
      watchers: 1,
      askNow: () => void this.askedEarly.push(to),
      stop: () => {
        if (this.watched.get(to) === wish) this.watched.delete(to)
      },
    }
  }

  /** The bus says that nobody listens there. */
  loses(peer: string): void {
    this.absent.add(peer)
    this.watched.get(peer)?.absent()
  }

  close(): void {}

  get isServed(): boolean {
    return this.#handler !== null
  }

  /** All calls of a method so far. */
  calls<M extends RpcMethod>(method: M): readonly OutboundCall<M>[] {
    return this.#calls[method]
  }

  /** The newest call of a method to a member. */
  last<M extends RpcMethod>(method: M, to: string): OutboundCall<M> {
    const call = this.#calls[method].findLast((one) => one.to === to)
    if (call === undefined) throw new Error(`The node never sent ${method} to ${to}.`)
    return call
  }

  /** Forgets what was called so far; open calls can still be answered by who holds them. */
  forget(): void {
    this.#calls = emptyCalls()
  }

  /** Everything called since `forget`, as `method>to`. */
  get log(): readonly string[] {
    return Object.values(this.#calls)
      .flat()
      .map(({ method, to }) => `${method}>${to}`)
  }

  deliver(request: InboundRequest): Answer {
    const answer = createAnswer()
    if (this.#handler === null) throw new Error('The node does not listen.')
    this.#handler(request, (outcome) => {
      if (answer.outcome !== null) throw new Error(`${request.method} was answered twice`)
      answer.outcome = outcome
    })
    return answer
  }
}

/** Through the codec, which fills in what may be left out. */
function asItArrives<M extends RpcMethod>(from: string, method: M, sent: SentResponseOf<M>): ResponseOf<M> {
  const decoded = decodeResponse(method, encodeResponse(from, method, sent))
  if (!decoded.ok || !decoded.value.outcome.ok)
    throw new Error(`no answer to ${method}: ${JSON.stringify(sent)}`)
  return decoded.value.outcome.response
}

function emptyCalls(): Calls {
  return {
    pre_vote: [],
    request_vote: [],
    append_entries: [],
    heartbeat: [],
    timeout_now: [],
    read_index: [],
    install_snapshot: [],
    get_file: [],
  }
}

function createAnswer(): Answer {
  return {
    outcome: null,
    get response() {
      if (this.outcome?.ok !== true) throw new Error(`no answer, but ${JSON.stringify(this.outcome)}`)
      return this.outcome.response
    },
    get errorCode() {
      return this.outcome === null || this.outcome.ok ? null : this.outcome.error.code
    },
  }
}

/** What voters say. */
export const says = {
  yes: (term: number): RequestVoteResponse => vote(term, { granted: true }),
  no: (term: number): RequestVoteResponse => vote(term, {}),
  notWhileMyLeaseHolds: (term: number): RequestVoteResponse => vote(term, { rejectedByLease: true }),
  /** The leader of `previousTerm` grants, having stepped down for it. */
  deposedAndYes: (term: number, previousTerm: number): RequestVoteResponse =>
    vote(term, { granted: true, disrupted: true, previousTerm }),
  /** No, and you are no member by the configuration that stands there. */
  removedBy: (term: number, removedIndex: number, removedTerm: number): RequestVoteResponse =>
    vote(term, { removedIndex, removedTerm }),
}

function vote(term: number, over: Partial<RequestVoteResponse>): RequestVoteResponse {
  return {
    term,
    granted: false,
    rejectedByLease: false,
    disrupted: false,
    previousTerm: term,
    ...{ identity: 0, removedIndex: 0, removedTerm: 0 },
    ...over,
  }
}
