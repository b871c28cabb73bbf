// One subject that answers requests: its subscription, and what it counts (as NATS micro services count).

import { mayAnswerAt } from '../protocol/subjects.ts'
import type { Clock } from '../runtime/clock.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { InboundMessage, Subscription, Transport } from '../transport/transport.ts'

export interface EndpointStats {
  requests: number
  errors: number
  lastError: string
  processingMs: number
}

/** A message that wants an answer, at a place where it may have one. */
export interface Request {
  readonly message: InboundMessage
  readonly replyTo: string
  /** The word that the subject ends with after the endpoint's own: whoever asks, where the bus binds it. Null: it ends there. */
  readonly sender: string | null
}

export interface EndpointOptions {
  readonly name: string
  readonly subject: string
  readonly queue?: string
  /** Hears requests, too, whose subject names in one more word who asks. */
  readonly hearsSenders?: boolean
  readonly transport: Transport
  readonly prefix: string
  readonly clock: Clock
  readonly logger: Logger
  /** Answers, now or later, or throws. Runs in the delivering turn, so it must copy what it keeps. */
  readonly handle: (request: Request) => void
}

/** An error is logged again after this long, with how often it came meanwhile. */
const LOG_INTERVAL_MS = 60_000

/** Open and close may alternate: the counters go on. */
export class Endpoint {
  readonly name: string
  readonly subject: string
  readonly queue: string
  readonly #options: EndpointOptions
  readonly #stats: EndpointStats = { requests: 0, errors: 0, lastError: '', processingMs: 0 }
  #subscriptions: readonly Subscription[] = []
  #silentUntilMs = Number.NEGATIVE_INFINITY
  #silenced = 0

  constructor(options: EndpointOptions) {
    this.#options = options
    this.name = options.name
    this.subject = options.subject
    this.queue = options.queue ?? ''
  }

  get stats(): Readonly<EndpointStats> {
    return this.#stats
  }

  open(): void {
    const { transport, queue, hearsSenders = false } = this.#options
    if (this.#subscriptions.length > 0) return
    const subjects = hearsSenders ? [this.subject, `${this.subject}.*`] : [this.subject]
    this.#subscriptions = subjects.map((subject) =>
      transport.subscribe(subject, (message) => this.#receive(message), queue === undefined ? {} : { queue }),
    )
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
    this.#subscriptions = []
  }

  /** Counts a request that could not be answered as asked; logged at most once a minute. */
  countError(reason: string): void {
    this.#stats.errors += 1
    this.#stats.lastError = reason
    const { clock, logger } = this.#options
    if (clock.nowMs() < this.#silentUntilMs) {
      this.#silenced += 1
      return
    }
    logger.warn({ endpoint: this.subject, repeated: this.#silenced }, `A request was refused: ${reason}`)
    this.#silentUntilMs = clock.nowMs() + LOG_INTERVAL_MS
    this.#silenced = 0
  }

  #receive(message: InboundMessage): void {
    const { clock, handle, prefix } = this.#options
    const startedMs = clock.nowMs()
    this.#stats.requests += 1
    const { replyTo } = message
    if (replyTo === undefined) return this.countError('it has no reply subject')
    if (!mayAnswerAt(prefix, replyTo)) {
      return this.countError(`it wants its answer at ${replyTo.slice(0, 128)}, where only requests may go`)
    }
    try {
      const sender =
        message.subject.length > this.subject.length ? message.subject.slice(this.subject.length + 1) : null
      handle({ message, replyTo, sender })
    } catch (error) {
      this.countError(messageOf(error))
    }
    this.#stats.processingMs += clock.nowMs() - startedMs
  }
}
