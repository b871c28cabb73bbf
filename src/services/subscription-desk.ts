// Clients that are subscribed to queries, at one member: takes what they ask, lets it wait until there is another answer, or their
// time is up, and forgets them then. One that is slow, or dead, costs what it last asked for, until then.

import { isQuorateError, QuorateError } from '../errors.ts'
import {
  ANSWER_OVERHEAD_BYTES,
  encodeNew,
  encodeSame,
  encodeSubscribeError,
  parseSubscribe,
  type SubscribeRequest,
} from '../protocol/subscription-protocol.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import { messageOf, sheltered } from '../runtime/errors.ts'
import type { Transport } from '../transport/transport.ts'
import { checkEncodedValue, decodeValue } from '../transport/wire/codec.ts'
import type { Request } from './endpoint.ts'
import type { Member } from './member-port.ts'
import type { OperationContext } from './operations.ts'
import { type Look, type Poll, Topic } from './topic.ts'

export interface SubscriptionDeskOptions {
  readonly member: Member
  readonly transport: Transport
  readonly clock: Clock
  readonly standing: OperationContext['standing']
}

/** Clients that wait, and queries that they wait for. */
const MAX_WAITING = 4096
const MAX_TOPICS = 4096
const SWEEP_MS = 200
/** So long a query is followed for which nobody waits: the next question is on its way. */
const LINGER_MS = 10_000

export class SubscriptionDesk {
  readonly #options: SubscriptionDeskOptions
  readonly #topics = new Map<string, Topic>()
  readonly #tally = { waiting: 0 }
  #timer: TimerHandle | null = null
  #closed = false

  constructor(options: SubscriptionDeskOptions) {
    this.#options = options
  }

  /** @param refuse takes note of a refused message, in one sentence. */
  handle({ message, replyTo }: Request, refuse: (reason: string) => void): void {
    const request = parseSubscribe(message.payload)
    if (request === undefined) {
      const problem = 'it is no [1, client, after, digest, waitMs, query]'
      refuse(problem)
      return this.#fail(replyTo, new QuorateError('INVALID', `Message not understood: ${problem}.`))
    }
    const unable = this.#unable()
    if (unable !== null) return this.#fail(replyTo, unable)
    const topic = this.#topicOf(request.query)
    if (topic instanceof QuorateError) return this.#fail(replyTo, topic)
    topic.add(this.#pollOf(request, replyTo))
    this.#arm()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = null
    const { id } = this.#options.standing()
    this.#refuseAll(new QuorateError('SHUTDOWN', `Member ${id} has stopped.`, { retryable: true }))
    for (const topic of this.#topics.values()) topic.close()
    this.#topics.clear()
  }

  #pollOf({ after, digest, waitMs }: SubscribeRequest, replyTo: string): Poll {
    return { after, digest, untilMs: this.#options.clock.nowMs() + waitMs, replyTo }
  }

  /** Why another member should be asked; null: it should not. */
  #unable(): QuorateError | null {
    const { member, standing } = this.#options
    const { id, leader } = standing()
    const again = { retryable: true }
    if (this.#closed) return new QuorateError('SHUTDOWN', `Member ${id} has stopped.`, again)
    if (!member.isMember())
      return new QuorateError('NOT_LEADER', `${id} is no member of its group, or not yet.`, again)
    // It may be cut off from the others, and hear of nothing.
    if (leader === null) return new QuorateError('NO_LEADER', `Member ${id} knows of no leader.`, again)
    if (this.#tally.waiting < MAX_WAITING) return null
    return new QuorateError('BUSY', `${MAX_WAITING} clients are subscribed at member ${id}.`, again)
  }

  #topicOf(bytes: Uint8Array): Topic | QuorateError {
    const key = Buffer.from(bytes).toString('latin1')
    const known = this.#topics.get(key)
    if (known !== undefined) return known
    const { member, clock, standing } = this.#options
    const query = decodeValue(bytes)
    if (checkEncodedValue(bytes) !== undefined || !query.ok)
      return new QuorateError('INVALID', 'The query is not a plain CBOR value.')
    const machine = member.machine()
    if (machine === null) {
      const text = `Nobody can subscribe at member ${standing().id}.`
      return new QuorateError('UNSUPPORTED', text, { retryable: true })
    }
    if (this.#topics.size >= MAX_TOPICS && !this.#forgetIdle())
      return new QuorateError('BUSY', `${MAX_TOPICS} queries are followed already.`, { retryable: true })
    let made: Topic | QuorateError = new QuorateError('STATE_MACHINE', 'The query was not taken.')
    const make = (): void => {
      const topic = new Topic({
        ...{ query: query.value, member, machine, clock, tally: this.#tally },
        tell: (poll, look) => this.#tell(poll, look),
        fail: ({ replyTo }, error) => this.#fail(replyTo, error),
      })
      this.#topics.set(key, topic)
      made = topic
    }
    sheltered(make, (thrown) => {
      made = new QuorateError('STATE_MACHINE', `The query was not taken: ${messageOf(thrown)}`)
    })
    return made
  }

  /** Somebody who asks new questions all the time takes no room from those who wait. False: all are waited for. */
  #forgetIdle(): boolean {
    for (const [key, topic] of this.#topics) {
      if (topic.waiting > 0) continue
      topic.close()
      return this.#topics.delete(key)
    }
    return false
  }

  #arm(): void {
    this.#timer ??= this.#options.clock.setTimeout(() => {
      this.#timer = null
      this.#sweep()
      if (this.#topics.size > 0) this.#arm()
    }, SWEEP_MS)
  }

  #sweep(): void {
    const { clock, standing, transport } = this.#options
    const { id } = standing()
    const nowMs = clock.nowMs()
    const unable = this.#unable()
    if (unable !== null && unable.code !== 'BUSY') this.#refuseAll(unable)
    for (const [key, topic] of this.#topics) {
      for (const [{ replyTo }, index] of topic.takeLate(nowMs))
        transport.publish(replyTo, encodeSame(id, index))
      if (topic.waiting > 0 || nowMs - topic.idleSinceMs < LINGER_MS) continue
      topic.close()
      this.#topics.delete(key)
    }
  }

  #refuseAll(error: QuorateError): void {
    for (const topic of this.#topics.values())
      for (const { replyTo } of topic.takeAll()) this.#fail(replyTo, error)
  }

  #tell({ replyTo }: Poll, { index, digest, bytes }: Look): void {
    const { transport, standing } = this.#options
    const room = transport.status().maxPayloadBytes - ANSWER_OVERHEAD_BYTES
    if ((bytes?.length ?? 0) > room) {
      const text = `The answer has ${bytes?.length} bytes; the bus takes ${room}.`
      return this.#fail(replyTo, new QuorateError('TOO_LARGE', text))
    }
    transport.publish(replyTo, encodeNew(standing().id, index, digest, bytes))
  }

  #fail(replyTo: string, thrown: unknown): void {
    const error = isQuorateError(thrown) ? thrown : new QuorateError('NODE_FAILED', messageOf(thrown))
    const { code, message, retryableIfIdempotent } = error
    const payload = encodeSubscribeError(this.#options.standing().id, code, message, retryableIfIdempotent)
    this.#options.transport.publish(replyTo, payload)
  }
}
