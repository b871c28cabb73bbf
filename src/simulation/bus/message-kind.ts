// What a message is, read from its subject alone: the words in which faults, holds and traces speak of messages.

import { PRESENCE } from '../../transport/rpc/peer-rpc.ts'
import { BEATS } from '../../transport/wire/messages/beats.ts'
import { isRpcMethod, type KindOf, MESSAGES, type RpcMethod } from '../../transport/wire/messages/registry.ts'
import { isLiteralSubject } from './subject-tree.ts'

/** Requests between members. An AppendEntries without entries (a probe) is still `append`. */
export type RequestKind = KindOf<RpcMethod>
/** `presence` asks whether anybody is there, `beats` is about all groups of two processes, `admin` and `client` are calls of tools and clients, `event` a notification, `other` what nobody knows. */
export type PlainKind = RequestKind | 'presence' | 'beats' | 'admin' | 'client' | 'event' | 'other'
/** With `Ack`: the reply. `noResponders`: the bus's own word that nobody listens. */
export type MessageKind = PlainKind | `${PlainKind}Ack` | 'noResponders'

export interface SubjectMeaning {
  readonly kind: PlainKind
  /** Empty when the subject names none. */
  readonly group: string
}

/** Reads the grammar of docs/protocol.md from the end, because a prefix may have any number of tokens. */
export function meaningOf(subject: string): SubjectMeaning {
  const tokens = subject.split('.')
  const at = (fromEnd: number): string => tokens[tokens.length - fromEnd] ?? ''
  const method = at(1)
  if (at(3) === 'rpc') return { kind: peerKind(method), group: at(5) }
  if (at(2) === 'admin') return { kind: 'admin', group: at(4) }
  if (at(3) === 'admin') return { kind: 'admin', group: at(5) }
  if (at(2) === 'leader' || at(2) === 'members') return { kind: 'client', group: at(3) }
  if (at(2) === 'client') return { kind: 'client', group: at(4) }
  if (at(3) === 'events') return { kind: 'event', group: at(4) }
  return { kind: 'other', group: '' }
}

function peerKind(method: string): PlainKind {
  if (isRpcMethod(method)) return MESSAGES[method].kind
  if (method === BEATS) return 'beats'
  return method === PRESENCE ? 'presence' : 'other'
}

export function replyKind(kind: PlainKind): MessageKind {
  return `${kind}Ack`
}

/** Replies are recognized by their subject; a bus that runs for virtual days must forget old ones. */
const MAX_REMEMBERED = 50_000

export interface KnownMessage {
  readonly kind: MessageKind
  readonly group: string
  /** What an answer to it is called. */
  readonly replyKind: MessageKind
  /** Of the request that this answers; null when it is no answer. */
  readonly requestSequence: number | null
}

/** Tells what messages are, by subject, and remembers which replies are awaited. */
export class MessageKinds {
  /** Two generations: when the young one is full the old one is forgotten as a whole. */
  #awaited = new Map<string, KnownMessage>()
  #awaitedBefore = new Map<string, KnownMessage>()
  /** Ordinary subjects are few: one per pair and method. */
  readonly #known = new Map<string, KnownMessage>()

  /** Null for a subject that nothing may be sent to: empty tokens, wildcards, white space. */
  of(subject: string): KnownMessage | null {
    const known =
      this.#known.get(subject) ?? this.#awaited.get(subject) ?? this.#awaitedBefore.get(subject) ?? null
    if (known !== null) return known
    if (!isLiteralSubject(subject)) return null
    const { kind, group } = meaningOf(subject)
    const meaning: KnownMessage = { kind, group, replyKind: replyKind(kind), requestSequence: null }
    if (kind !== 'other' && this.#known.size < MAX_REMEMBERED) this.#known.set(subject, meaning)
    return meaning
  }

  /** `request`, the message with this sequence number, wants its answer on `replyTo`. */
  await(replyTo: string, request: KnownMessage, sequence: number): void {
    if (this.#awaited.size >= MAX_REMEMBERED) {
      this.#awaitedBefore = this.#awaited
      this.#awaited = new Map()
    }
    this.#awaited.set(replyTo, {
      kind: request.replyKind,
      group: request.group,
      replyKind: 'otherAck',
      requestSequence: sequence,
    })
  }
}
