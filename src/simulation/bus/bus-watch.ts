// Reads what members say to each other, for the checker, the crash points and the trace.

import { decodeBeats, decodeBeatsAnswer } from '../../transport/wire/beats-codec.ts'
import { decodeRequest, decodeResponse } from '../../transport/wire/codec.ts'
import { heartbeatAnswerOf, heartbeatOf } from '../../transport/wire/messages/beats.ts'
import {
  type AppendEntriesRequest,
  type InboundRequest,
  MESSAGES,
  RPC_METHODS,
  type RpcMethod,
} from '../../transport/wire/messages/registry.ts'
import type { CrashPoints } from '../disk/crash-points.ts'
import type { InvariantChecker, SentMessage } from '../invariants/invariants.ts'
import { GROUP } from '../member-view.ts'
import type { Trace, TraceDetails } from '../trace.ts'
import type { BusMessage, BusObserver } from './bus-types.ts'
import type { LossReason } from './link.ts'
import { type MessageKind, replyKind } from './message-kind.ts'

const METHODS: ReadonlyMap<MessageKind, RpcMethod> = new Map(
  RPC_METHODS.map((method): [MessageKind, RpcMethod] => [MESSAGES[method].kind, method]),
)
const REPLIES: ReadonlyMap<MessageKind, RpcMethod> = new Map(
  RPC_METHODS.map((method): [MessageKind, RpcMethod] => [replyKind(MESSAGES[method].kind), method]),
)
/** Requests remembered for their answers. */
const REMEMBERED = 4096

export interface BusWatchOptions {
  readonly checker: InvariantChecker | null
  readonly crashPoints: CrashPoints
  readonly trace: Trace
}

export class BusWatch implements BusObserver {
  readonly #options: BusWatchOptions
  /** By the request's place in the run: how far a positive answer to it reaches. */
  readonly #reaches = new Map<number, number>()

  constructor(options: BusWatchOptions) {
    this.#options = options
  }

  sent(message: BusMessage): void {
    const { checker, crashPoints, trace } = this.#options
    const said = this.#readGroup(message)
    trace.record(message.from, `send ${message.kind}`, { to: message.to, ...detailsOf(said) })
    if (said !== null) checker?.sent(said)
    crashPoints.hit(message.from, `send:${message.kind}`)
  }

  lost(message: BusMessage, reason: LossReason): void {
    this.#options.trace.record(message.to, `lost ${message.kind}`, { from: message.from, reason })
  }

  delivered(message: BusMessage): void {
    const { checker, crashPoints, trace } = this.#options
    trace.record(message.to, `get ${message.kind}`, { from: message.from })
    for (const request of ofLeader(message)) {
      const { term, prevLogIndex, prevLogTerm, committedIndex, entries } = request
      checker?.received(message.to, {
        from: message.from,
        term,
        prevLogIndex,
        prevLogTerm,
        committedIndex,
        entryCount: entries.length,
      })
    }
    if (message.kind === 'installSnapshot' && message.group === GROUP) {
      const request = requestOf(message)
      if (request !== null) checker?.heard(message.to, message.from, request.message.term)
    }
    crashPoints.hit(message.to, `deliver:${message.kind}`)
  }

  /** Null for what is said in other groups of the same processes. */
  #readGroup(message: BusMessage): SentMessage | null {
    const { kind, from, to, group } = message
    if (kind === 'beats') {
      const beat = beatOf(message)
      if (beat === null) return null
      this.#remember(message.sequence, beat.at)
      return { kind: 'heartbeat', from, to, term: beat.heartbeat.term }
    }
    if (kind === 'beatsAck') return this.#readBeatsAnswer(message)
    return group === GROUP ? this.#read(message) : null
  }

  #readBeatsAnswer({ from, to, payload, requestSequence }: BusMessage): SentMessage | null {
    const decoded = decodeBeatsAnswer(payload)
    const at = requestSequence === null ? undefined : this.#reaches.get(requestSequence)
    if (!decoded.ok || !decoded.value.outcome.ok || at === undefined) return null
    const row = decoded.value.outcome.response.answers.find(([position]) => position === at)
    if (row === undefined) return null
    const { term, success } = heartbeatAnswerOf(row)
    return { kind: 'heartbeatAck', from, to, term, success }
  }

  /** Null for what no member says, and for bytes that mean nothing. */
  #read(message: BusMessage): SentMessage | null {
    const { kind, from, to } = message
    const method = REPLIES.get(kind)
    if (method !== undefined) return this.#readReply(message, method)
    const request = requestOf(message)
    if (request === null) return null
    if (request.method === 'append_entries') {
      this.#remember(message.sequence, request.message.prevLogIndex + request.message.entries.length)
    }
    if (request.method === 'install_snapshot')
      this.#remember(message.sequence, request.message.lastIncludedIndex)
    // A pre-vote names the term it would stand in, and promises nothing about it.
    const term = request.method === 'pre_vote' ? null : request.message.term
    return { kind, from, to, term }
  }

  #readReply(
    { kind, from, to, payload, requestSequence }: BusMessage,
    method: RpcMethod,
  ): SentMessage | null {
    const decoded = decodeResponse(method, payload)
    if (!decoded.ok || !decoded.value.outcome.ok) return null
    const { response } = decoded.value.outcome
    const said: SentMessage = { kind, from, to, term: response.term }
    if ('granted' in response) return { ...said, granted: response.granted }
    if (method === 'read_index') return { ...said, success: true }
    const reach = requestSequence === null ? undefined : this.#reaches.get(requestSequence)
    if ('state' in response && response.state === 'installed' && reach !== undefined)
      return { ...said, success: true, installedIndex: reach }
    if (!('success' in response)) return said
    const counts = kind === 'appendAck' && response.success && reach !== undefined
    return { ...said, success: response.success, ...(counts ? { acknowledgedIndex: reach } : {}) }
  }

  #remember(sequence: number, reach: number): void {
    this.#reaches.set(sequence, reach)
    if (this.#reaches.size <= REMEMBERED) return
    for (const oldest of this.#reaches.keys()) {
      this.#reaches.delete(oldest)
      return
    }
  }
}

/** What a leader of the group says in this message. */
function ofLeader(message: BusMessage): readonly AppendEntriesRequest[] {
  if (message.kind === 'beats') {
    const beat = beatOf(message)
    return beat === null ? [] : [beat.heartbeat]
  }
  if (message.group !== GROUP || (message.kind !== 'append' && message.kind !== 'heartbeat')) return []
  const request = requestOf(message)
  return request !== null && 'entries' in request.message ? [request.message] : []
}

/** The heartbeat of the group among those of all groups. */
function beatOf({
  payload,
}: BusMessage): { readonly at: number; readonly heartbeat: AppendEntriesRequest } | null {
  const decoded = decodeBeats(payload)
  if (!decoded.ok) return null
  const { beats } = decoded.value.message
  const at = beats.findIndex(([group]) => group === GROUP)
  const row = beats[at]
  const heartbeat = row === undefined ? null : heartbeatOf(row)
  return heartbeat === null ? null : { at, heartbeat }
}

function requestOf(message: BusMessage): InboundRequest | null {
  const method = METHODS.get(message.kind)
  if (method === undefined) return null
  const decoded = decodeRequest(method, message.payload)
  return decoded.ok ? decoded.value : null
}

function detailsOf(said: SentMessage | null): TraceDetails {
  if (said === null) return {}
  const { term, granted, success, acknowledgedIndex, installedIndex } = said
  return {
    ...(term === null ? {} : { term }),
    ...(granted === undefined ? {} : { granted }),
    ...(success === undefined ? {} : { success }),
    ...(acknowledgedIndex === undefined ? {} : { index: acknowledgedIndex }),
    ...(installedIndex === undefined ? {} : { installed: installedIndex }),
  }
}
