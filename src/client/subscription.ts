// One subscription of a client: asks a member for the answer to a query again and again, each time for another one than it knows,
// and goes on at another member when that one is gone, without going back.

import { QuorateError, type QuorateErrorCode } from '../errors.ts'
import { membersSubject } from '../protocol/subjects.ts'
import {
  encodeSubscribe,
  MAX_QUERY_BYTES,
  MAX_WAIT_MS,
  MIN_WAIT_MS,
  parseSubscribeAnswer,
  SUBSCRIBE,
  type SubscribeAnswer,
} from '../protocol/subscription-protocol.ts'
import type { LogIndex, PeerId } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import { clientSubject } from '../transport/subjects.ts'
import type { Transport } from '../transport/transport.ts'
import { encodeValue } from '../transport/wire/codec.ts'
import type { Requester } from './requester.ts'

export interface SubscribeOptions {
  /** Ends it: whoever loops over it is done. */
  readonly signal?: AbortSignal
  /**
   * So long a member waits for another answer before it says that there is none, and a bit longer a dead one is waited for. 100 to
   * 60,000, default 2000: shorter finds out sooner, and asks more often.
   */
  readonly waitMs?: number
}

/** An answer to the query, and the index of the log at which it was the answer. */
export interface Heard<Value = unknown> {
  readonly value: Value
  readonly index: LogIndex
}

export interface SubscriptionParts {
  readonly transport: Transport
  readonly requester: Requester
  readonly clock: Clock
  readonly random: Random
  readonly prefix: string
  readonly group: string
  readonly name: string
  /** Before the first answer; later there is no end to its patience. */
  readonly timeoutMs: number
  readonly ended: (subscription: Subscription) => void
}

const DEFAULT_WAIT_MS = 2000
/** A member looks five times a second who has waited for long enough. */
const LEAST_SLACK_MS = 500
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000

/** What is wrong with the member that says so, and perhaps with no other. */
const OF_ONE_MEMBER: ReadonlySet<QuorateErrorCode> = new Set([
  'NODE_FAILED',
  'SHUTDOWN',
  'STORAGE',
  'TIMEOUT',
])

type Reply = SubscribeAnswer | { readonly kind: 'nobody' | 'silent' | 'ended' }

export class Subscription implements AsyncIterableIterator<Heard, undefined> {
  readonly #parts: SubscriptionParts
  readonly #query: Uint8Array
  readonly #waitMs: number
  /** Whom it was heard of last; null: the bus may choose. */
  #member: PeerId | null = null
  #after: LogIndex = 0
  #digest: Uint8Array | null = null
  #isHeard = false
  /** What it was ended with; null: as it should. */
  #end: { readonly error: QuorateError | null } | null = null
  /** Ends the waiting of whoever waits. */
  #wake: () => void = () => {}
  readonly #forget: () => void
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws QuorateError INVALID for an option out of bounds, TOO_LARGE for a query of more than 4 KiB */
  constructor(
    query: unknown,
    { signal, waitMs = DEFAULT_WAIT_MS }: SubscribeOptions,
    parts: SubscriptionParts,
  ) {
    if (!Number.isInteger(waitMs) || waitMs < MIN_WAIT_MS || waitMs > MAX_WAIT_MS)
      throw new QuorateError('INVALID', `waitMs must be ${MIN_WAIT_MS} to ${MAX_WAIT_MS}, not ${waitMs}.`)
    this.#parts = parts
    this.#query = encodeValue(query)
    this.#waitMs = waitMs
    const { length } = this.#query
    if (length > MAX_QUERY_BYTES)
      throw new QuorateError(
        'TOO_LARGE',
        `The query has ${length} bytes; ${MAX_QUERY_BYTES} may be subscribed to.`,
      )
    const onAbort = (): void => this.end(null)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#forget = () => signal?.removeEventListener('abort', onAbort)
    if (signal?.aborted) this.end(null)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Whoever asks before the last one is answered comes after it. */
  next(): Promise<IteratorResult<Heard, undefined>> {
    const next = this.#turn.then(() => this.#next())
    this.#turn = next.catch(() => {})
    return next
  }

  async return(): Promise<IteratorResult<Heard, undefined>> {
    this.end(null)
    return DONE
  }

  get isOver(): boolean {
    return this.#end !== null
  }

  /** Repeating it is harmless. */
  end(error: QuorateError | null): void {
    if (this.#end !== null) return
    this.#end = { error }
    this.#wake()
    this.#forget()
    this.#parts.ended(this)
  }

  async #next(): Promise<IteratorResult<Heard, undefined>> {
    const { clock, timeoutMs } = this.#parts
    const giveUpAtMs = clock.nowMs() + timeoutMs
    let last: QuorateError | null = null
    for (let attempt = 0; this.#end === null; ) {
      const reply = await this.#ask(giveUpAtMs)
      if (reply.kind === 'ended') break
      if (reply.kind === 'new') return { done: false, value: this.#take(reply) }
      if (reply.kind === 'error') {
        last = new QuorateError(reply.code, reply.message, { retryable: reply.again })
        if (!reply.again && !OF_ONE_MEMBER.has(reply.code)) this.end(last)
      }
      const isWell = reply.kind === 'same' && reply.index >= this.#after
      this.#isHeard ||= isWell
      if (isWell) {
        this.#member = reply.member
        attempt = 0
        continue
      }
      // It is gone, or does not know yet what was seen already.
      this.#member = null
      if (!this.#isHeard && clock.nowMs() >= giveUpAtMs) this.end(last ?? this.#nobody())
      await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt++, 10), LONGEST_PAUSE_MS))
    }
    const error = this.#end?.error ?? null
    if (error !== null) throw error
    return DONE
  }

  #take({ member, index, digest, value }: SubscribeAnswer & { readonly kind: 'new' }): Heard {
    this.#member = member
    this.#after = Math.max(this.#after, index)
    this.#digest = digest
    this.#isHeard = true
    return { value, index }
  }

  #ask(giveUpAtMs: number): Promise<Reply> {
    const { clock, requester, prefix, group, name } = this.#parts
    const subject =
      this.#member === null
        ? membersSubject(prefix, group, SUBSCRIBE)
        : clientSubject(prefix, group, this.#member, SUBSCRIBE)
    const slackMs = Math.max(LEAST_SLACK_MS, this.#waitMs / 4)
    const patienceMs = this.#waitMs + slackMs
    const leftMs = this.#isHeard ? patienceMs : Math.min(patienceMs, Math.max(1, giveUpAtMs - clock.nowMs()))
    const payload = encodeSubscribe(name, {
      ...{ after: this.#after, digest: this.#digest, waitMs: this.#waitMs, query: this.#query },
    })
    return new Promise((resolve) => {
      const settle = (reply: Reply): void => {
        clock.clearTimeout(timer)
        asked?.close()
        this.#wake = () => {}
        resolve(reply)
      }
      const timer = clock.setTimeout(() => settle({ kind: 'silent' }), leftMs)
      this.#wake = () => settle({ kind: 'ended' })
      const asked = requester.send(subject, payload, ({ payload: answer, noResponders }) =>
        // What is no answer says no more than silence does.
        settle(noResponders ? { kind: 'nobody' } : (parseSubscribeAnswer(answer) ?? { kind: 'silent' })),
      )
      if (asked === null) settle({ kind: 'nobody' })
    })
  }

  #pause(ms: number): Promise<void> {
    const { clock, random } = this.#parts
    if (this.#end !== null) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        clock.clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
      const timer = clock.setTimeout(end, ms * (0.5 + random.next() / 2))
      this.#wake = end
    })
  }

  #nobody(): QuorateError {
    const { group, timeoutMs } = this.#parts
    const text = `No member of group ${group} took the subscription within ${timeoutMs} ms: does it run, and in a version that has them?`
    return new QuorateError('UNREACHABLE', text, { retryable: true })
  }
}

const DONE = { done: true, value: undefined } as const
