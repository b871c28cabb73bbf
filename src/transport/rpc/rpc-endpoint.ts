// Calls between members over a bus: one subscription for the requests of all groups, one inbox for all answers.
// What arrives is checked here, counted when it is dropped, and never throws into anybody.

import type { PeerId } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import { messageOf, sheltered } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { parseRpcSubject, type RpcSubject, rpcAnswerHead, rpcSubscription } from '../subjects.ts'
import type { InboundMessage, Subscription, Transport, TransportStatus } from '../transport.ts'
import { FRAME_RESERVE_BYTES, MAX_APPEND_BYTES } from '../wire/entries.ts'
import { BEATS } from '../wire/messages/beats.ts'
import { isRpcMethod, type RequestOf, type ResponseOf, type RpcMethod } from '../wire/messages/registry.ts'
import { decodeRequest, RequestEncoder } from '../wire/request-codec.ts'
import { decodeResponse, encodeErrorResponse, encodeResponse } from '../wire/response-codec.ts'
import type { Drops } from './drops.ts'
import { Pairs } from './pairs.ts'
import {
  type HeartbeatCall,
  type PeerRpc,
  PRESENCE,
  type PresenceHandle,
  type PresenceWish,
  type RemoteError,
  type Reply,
  type RequestHandler,
  type RpcFailure,
  type RpcOutcome,
  type ServedMember,
  type SleepWish,
} from './peer-rpc.ts'
import { PendingCalls } from './pending-calls.ts'
import { type AskBus, PresenceWatch } from './presence-watch.ts'
import { ServedMembers } from './served-members.ts'
import { SubjectHeads } from './subject-heads.ts'

export interface PeerRpcOptions {
  readonly transport: Transport
  readonly prefix: string
  /** This host's name, which is the member id of every node it carries. */
  readonly id: PeerId
  readonly clock: Clock
  readonly logger: Logger
  readonly drops: Drops
  /** Of this life of the process, unlike any other of it (rules/wake-ledger.ts). Default 1, for who lives only once. */
  readonly incarnation?: number
}

const UNKNOWN_SENDER = '(unknown)'
const NOTHING = new Uint8Array(0)

/** @throws QuorateError INVALID when prefix or id cannot be part of a subject. */
export function createPeerRpc(options: PeerRpcOptions): PeerRpc {
  return new RpcEndpoint(options)
}

class RpcEndpoint implements PeerRpc {
  readonly #transport: Transport
  readonly #prefix: string
  readonly #id: PeerId
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #drops: Drops
  readonly #encoder: RequestEncoder
  readonly #pending: PendingCalls
  readonly #presence: PresenceWatch
  readonly #pairs: Pairs
  readonly #members: ServedMembers
  readonly #heads: SubjectHeads
  readonly #subscriptions: readonly Subscription[]
  readonly #stopStatus: () => void
  #connected = false
  #maxFrameBytes = 0
  #closed = false

  constructor(options: PeerRpcOptions) {
    const { transport, prefix, id } = options
    this.#transport = transport
    this.#prefix = prefix
    this.#id = id
    this.#clock = options.clock
    this.#logger = options.logger
    this.#drops = options.drops
    this.#encoder = new RequestEncoder(id)
    this.#members = new ServedMembers(id, options.logger)
    this.#heads = new SubjectHeads(prefix, id, transport.inbox)
    this.#pending = new PendingCalls(options.clock)
    this.#presence = new PresenceWatch(options.clock, this.#askBus, (run) =>
      sheltered(run, (error) => this.#logger.error({ error }, 'Who watches a process threw.')),
    )
    this.#pairs = new Pairs({ ...options, incarnation: options.incarnation ?? 1 }, this.#pending, {
      maxFrameBytes: () => this.#maxFrameBytes,
      send: (group, to, body, token) =>
        this.#send(this.#heads.request(group, to) + BEATS, body, this.#heads.answer(to) + token),
      answer: (replyTo, body) => !this.#closed && this.#send(replyTo, body),
      sendAlone: (to, { group, request, timeoutMs, done }) =>
        this.call(group, to, 'heartbeat', request, timeoutMs, done),
      heard: (peer) => this.#presence.heard(peer),
      missed: (peer) => this.#presence.missed(peer),
      members: this.#members,
    })
    this.#subscriptions = [
      transport.subscribe(rpcSubscription(prefix, id), (message) => this.#receiveRequest(message)),
      transport.subscribe(`${rpcAnswerHead(transport.inbox, '*')}>`, (message) =>
        this.#receiveReply(message),
      ),
    ]
    this.#readStatus(transport.status())
    this.#stopStatus = transport.onStatus((status) => this.#readStatus(status))
  }

  get maxFrameBytes(): number {
    return this.#maxFrameBytes
  }

  call<M extends RpcMethod>(
    group: string,
    to: PeerId,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void {
    // Called from timers, loops and the bus's reader: what it throws must not skip somebody else's completion.
    const end = (outcome: RpcOutcome<ResponseOf<M>>): void =>
      sheltered(
        () => done(outcome),
        (error) => this.#logger.error({ group, to, method, error }, 'Who made a call threw when it ended.'),
      )
    const fail = (failure: RpcFailure): void => end({ ok: false, failure })
    const failSoon = (failure: RpcFailure): void => this.#clock.defer(() => fail(failure))
    if (this.#closed) {
      failSoon({ code: 'CLOSED', message: `${this.#id} is closed.` })
      return
    }
    let subject: string
    let body: Uint8Array
    try {
      subject = this.#heads.request(group, to) + method
      body = this.#encoder.encode(method, request)
    } catch (error) {
      const message = messageOf(error)
      this.#logger.error({ group, to, method, error }, 'A request could not be encoded.')
      failSoon({ code: 'BUS_DOWN', message })
      return
    }
    const answered = (token: string, payload: Uint8Array): void =>
      this.#readReply(token, { group, to, method }, payload, end)
    const token = this.#pending.add({ to, method, answered, failed: fail }, timeoutMs)
    if (this.#send(subject, body, this.#heads.answer(to) + token)) return
    this.#pending.remove(token)
    failSoon({ code: 'BUS_DOWN', message: this.#whyNotSent(body) })
  }

  get sharesProcess(): boolean {
    return this.#members.size > 1
  }

  heartbeat(to: PeerId, call: HeartbeatCall): void {
    if (this.sharesProcess && !this.#closed) this.#pairs.heartbeat(to, call)
    else this.call(call.group, to, 'heartbeat', call.request, call.timeoutMs, call.done)
  }

  askToSleep(to: PeerId, wish: SleepWish): void {
    this.#pairs.askToSleep(to, wish)
  }

  serve(group: string, handler: RequestHandler, member: ServedMember = {}): { stop(): void } {
    return this.#members.add(group, handler, member)
  }

  watchPresence(to: PeerId, wish: PresenceWish): PresenceHandle {
    return this.#presence.watch(to, wish)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#presence.close()
    this.#pairs.close()
    const report = (error: unknown): void =>
      this.#logger.warn({ error }, 'The bus threw when a subscription was ended.')
    sheltered(this.#stopStatus, report)
    for (const subscription of this.#subscriptions) sheltered(() => subscription.unsubscribe(), report)
    this.#members.clear()
    this.#pending.failAll({ code: 'CLOSED', message: `${this.#id} closed while waiting for an answer.` })
  }

  #readStatus(status: TransportStatus): void {
    const maxBytes = Math.min(status.maxPayloadBytes, MAX_APPEND_BYTES)
    this.#maxFrameBytes = Math.max(0, maxBytes - FRAME_RESERVE_BYTES)
    const lost = this.#connected && !status.connected
    this.#connected = status.connected
    // Answers to what is under way went past us while we were away; waiting out the time-outs would only delay
    // the next attempt.
    if (lost) this.#presence.forget()
    if (lost) this.#pending.failAll({ code: 'BUS_DOWN', message: status.detail })
  }

  readonly #askBus: AskBus = (group, to, timeoutMs, done) => {
    const failed = ({ code }: RpcFailure): void => done(code === 'NO_RESPONDERS' ? 'nobody' : 'unsure')
    const answered = (token: string): void => {
      this.#pending.remove(token)
      done('there')
    }
    const token = this.#pending.add({ to, method: PRESENCE, answered, failed }, timeoutMs)
    const subject = this.#heads.request(group, to) + PRESENCE
    if (this.#send(subject, NOTHING, this.#heads.answer(to) + token)) return
    this.#pending.remove(token)
    this.#clock.defer(() => done('unsure'))
  }

  #whyNotSent(body: Uint8Array): string {
    const { connected, maxPayloadBytes, detail } = this.#transport.status()
    if (connected && body.length > maxPayloadBytes) {
      return `A message of ${body.length} bytes does not fit the bus, which takes ${maxPayloadBytes}.`
    }
    return detail
  }

  // ---- answers to our calls

  #receiveReply(message: InboundMessage): void {
    const tokenAt = message.subject.lastIndexOf('.') + 1
    const token = message.subject.slice(tokenAt)
    const call = this.#pending.get(token)
    if (call === undefined) {
      this.#drops.record('LATE_REPLY', UNKNOWN_SENDER, `token ${token.slice(0, 16)}`)
      return
    }
    // A bus with permissions vouches for the name in the subject.
    const head = this.#heads.answer(call.to)
    if (head.length !== tokenAt || !message.subject.startsWith(head)) {
      this.#drops.record('WRONG_PEER', UNKNOWN_SENDER, `answer where ${call.to} does not answer`)
      return
    }
    if (message.noResponders) {
      this.#pending.remove(token)
      call.failed({ code: 'NO_RESPONDERS', message: `Nobody listens at ${call.to}.` })
      return
    }
    call.answered(token, message.payload)
  }

  /** Ends a call with the answer of `to`. What is no such answer leaves the call waiting. */
  #readReply<M extends RpcMethod>(
    token: string,
    { group, to, method }: { readonly group: string; readonly to: PeerId; readonly method: M },
    payload: Uint8Array,
    end: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void {
    const decoded = decodeResponse(method, payload)
    if (!decoded.ok) {
      this.#drops.record(decoded.reason, to, `answer to ${method}: ${decoded.detail}`)
      return
    }
    const { from, outcome } = decoded.value
    if (from !== to) {
      this.#drops.record('WRONG_PEER', from, `answer to ${method} that ${to} was asked`)
      return
    }
    this.#presence.heard(from)
    const doubt = outcome.ok ? this.#members.doubts(group, outcome.response.term) : undefined
    if (doubt !== undefined) {
      this.#drops.record('IMPLAUSIBLE_TERM', from, `answer to ${method}: ${doubt}`)
      return
    }
    // Over before its caller hears of it, so that nothing the caller does now can end it twice.
    this.#pending.remove(token)
    if (outcome.ok) end({ ok: true, response: outcome.response })
    else {
      const { code: remoteCode, message } = outcome.error
      end({ ok: false, failure: { code: 'REFUSED', remoteCode, message } })
    }
  }

  // ---- requests of others

  #receiveRequest(message: InboundMessage): void {
    const subject = parseRpcSubject(this.#prefix, message.subject)
    if (subject === undefined) {
      this.#drops.record('BAD_SUBJECT', UNKNOWN_SENDER, message.subject.slice(0, 128))
      return
    }
    const { group, from, method } = subject
    const { replyTo } = message
    // Otherwise a request could make this member say something on a subject where it is believed.
    if (replyTo?.startsWith(`${this.#prefix}.`)) {
      this.#drops.record('BAD_REPLY_SUBJECT', from, replyTo.slice(0, 128))
      return
    }
    this.#presence.heard(from)
    if (method === BEATS) {
      this.#pairs.receive(from, message.payload, replyTo)
      return
    }
    if (!isRpcMethod(method)) {
      if (method !== PRESENCE) this.#drops.record('UNKNOWN_METHOD', from, method)
      // A member of a later version learns at once that it has to do without.
      const unknown = `${this.#id} does not know the method "${method}".`
      this.#refuse(replyTo, { code: 'ENOMETHOD', message: unknown })
      return
    }
    if (!this.#members.has(group)) {
      this.#refuse(replyTo, this.#members.missing(group))
      return
    }
    this.#dispatch(subject, method, message.payload, this.#replyOnce(method, replyTo))
  }

  #dispatch({ group, from }: RpcSubject, method: RpcMethod, payload: Uint8Array, reply: Reply): void {
    const decoded = decodeRequest(method, payload)
    if (!decoded.ok) {
      this.#drops.record(decoded.reason, from, `${method}: ${decoded.detail}`)
      return
    }
    if (decoded.value.from !== from) {
      this.#drops.record('FORGED_SENDER', from, `${method} says it is from ${decoded.value.from}`)
      return
    }
    const doubt = this.#members.doubts(group, decoded.value.message.term)
    if (doubt !== undefined) {
      this.#drops.record('IMPLAUSIBLE_TERM', from, `${method}: ${doubt}`)
      return
    }
    this.#members.deliver(group, decoded.value, reply)
  }

  #refuse(replyTo: string | undefined, error: RemoteError): void {
    if (replyTo !== undefined) this.#send(replyTo, encodeErrorResponse(this.#id, error))
  }

  /** A transport promises not to throw; one of a stranger's may all the same. */
  #send(subject: string, body: Uint8Array, replyTo?: string): boolean {
    try {
      return this.#transport.publish(subject, body, replyTo)
    } catch (error) {
      this.#logger.error({ subject, error }, 'The bus threw when a message was sent.')
      return false
    }
  }

  #replyOnce(method: RpcMethod, replyTo: string | undefined): Reply {
    let open = replyTo !== undefined
    return (outcome) => {
      if (!open || replyTo === undefined || this.#closed) return
      open = false
      const body = outcome.ok
        ? encodeResponse(this.#id, method, outcome.response)
        : encodeErrorResponse(this.#id, outcome.error)
      this.#send(replyTo, body)
    }
  }
}
