// The bus over a NATS connection: keeps track of whether the connection is up, refuses to send when it is not (the
// client would swallow the message), and never lets a handler's exception reach the client's reader.

import { QuorateError } from '../../errors.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import { sheltered } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { StatusFeed } from '../status-feed.ts'
import { isPublishSubject, isSubscribeSubject } from '../subjects.ts'
import type {
  MessageHandler,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportStatus,
} from '../transport.ts'
import {
  isNoResponders,
  type NatsLike,
  type NatsMessageLike,
  type NatsStatusLike,
  type NatsSubscribeOptionsLike,
  type NatsSubscriptionLike,
  permissionViolationOf,
  statusText,
  stopStatus,
} from './nats-like.ts'

export interface NatsTransportOptions {
  readonly connection: NatsLike
  /** Close the connection with the transport. False for one that was handed in. */
  readonly owned: boolean
  readonly inbox: string
  readonly clock: Clock
  readonly logger: Logger
}

interface Registration {
  readonly subject: string
  readonly options: NatsSubscribeOptionsLike
  subscription: NatsSubscriptionLike | undefined
  /** The server refused it, and the client has forgotten it: asked for again at the next reconnect. */
  refused: boolean
}

/** How long `close` waits for what was published last to leave. */
const FLUSH_TIMEOUT_MS = 1000
const VIOLATION_LOG_INTERVAL_MS = 60_000
const MAX_VIOLATIONS_TOLD_APART = 100

export class NatsTransport implements Transport {
  readonly inbox: string
  readonly #connection: NatsLike
  readonly #owned: boolean
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #feed: StatusFeed
  readonly #statuses: AsyncIterable<NatsStatusLike>
  readonly #registrations = new Set<Registration>()
  readonly #violationsLoggedAtMs = new Map<string, number>()
  #closing: Promise<void> | undefined

  constructor(options: NatsTransportOptions) {
    this.inbox = options.inbox
    this.#connection = options.connection
    this.#owned = options.owned
    this.#clock = options.clock
    this.#logger = options.logger
    const connected = !this.#connection.isClosed() && this.#connection.info !== undefined
    const initial = {
      connected,
      maxPayloadBytes: this.#connection.info?.max_payload ?? 0,
      detail: connected ? `Connected to ${this.#server()}.` : 'Not connected to NATS.',
    }
    this.#feed = new StatusFeed(initial, this.#reporter('A listener to the status of the bus threw.'))
    this.#statuses = this.#connection.status()
    const report = this.#reporter('The connection to NATS cannot be watched.')
    sheltered(() => this.#watch(), report)
    const ended = (error: unknown): void => this.#ended(error)
    sheltered(() => this.#connection.closed().then(ended, ended), report)
  }

  status(): TransportStatus {
    return this.#feed.current
  }

  onStatus(handler: (status: TransportStatus) => void): () => void {
    return this.#feed.listen(handler)
  }

  publish(subject: string, payload: Uint8Array, replyTo?: string): boolean {
    // The status arrives a little later than the loss; `info` is already gone when the client redials.
    const info = this.#connection.info
    if (!this.#feed.current.connected || info === undefined || payload.length > info.max_payload) return false
    if (!isPublishSubject(subject) || (replyTo !== undefined && !isPublishSubject(replyTo))) return false
    // The client keeps a reference until it writes to the socket, in a microtask; the caller may change the payload
    // before that.
    const copy = new Uint8Array(payload)
    try {
      this.#connection.publish(subject, copy, replyTo === undefined ? {} : { reply: replyTo })
      return true
    } catch (error) {
      this.#logger.debug({ subject, error }, 'NATS refused a message.')
      return false
    }
  }

  subscribe(subject: string, handler: MessageHandler, options: SubscribeOptions = {}): Subscription {
    if (!isSubscribeSubject(subject)) {
      throw new QuorateError('INVALID', `${JSON.stringify(subject)} is not a subject to listen on.`)
    }
    const callback = (error: Error | null, message: NatsMessageLike): void => {
      if (error === null) this.#deliver(handler, message)
      else registration.refused = true // the status says it too, with words
    }
    const { queue } = options
    const registration: Registration = {
      subject,
      options: queue === undefined ? { callback } : { queue, callback },
      subscription: undefined,
      refused: false,
    }
    this.#registrations.add(registration)
    this.#attach(registration)
    return { unsubscribe: () => this.#detach(registration) }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const connected = this.#feed.current.connected && !this.#connection.isClosed()
    for (const registration of this.#registrations) this.#detach(registration)
    // Listeners hear of it later than `closing` is known: one that closes in its turn finds it under way.
    await (connected ? this.#flush() : Promise.resolve())
    this.#report(false, 'The transport is closed.')
    const report = this.#reporter('The connection to NATS could not be closed in order.')
    sheltered(() => stopStatus(this.#statuses), report)
    if (this.#owned) await this.#connection.close().catch(report)
  }

  /** Lets what was published last leave, but not for long: a dead connection never flushes. */
  #flush(): Promise<void> {
    return new Promise((resolve) => {
      let timer: TimerHandle
      const finish = (): void => {
        this.#clock.clearTimeout(timer)
        resolve()
      }
      timer = this.#clock.setTimeout(finish, FLUSH_TIMEOUT_MS)
      sheltered(() => this.#connection.flush().then(finish, finish), finish)
    })
  }

  #attach(registration: Registration): void {
    if (this.#closing !== undefined || this.#connection.isClosed()) return
    registration.refused = false
    try {
      registration.subscription = this.#connection.subscribe(registration.subject, registration.options)
    } catch (error) {
      this.#logger.warn({ subject: registration.subject, error }, 'NATS refused a subscription.')
    }
  }

  #detach(registration: Registration): void {
    if (!this.#registrations.delete(registration)) return
    const report = this.#reporter('NATS refused to end a subscription.')
    sheltered(() => registration.subscription?.unsubscribe(), report)
  }

  #deliver(handler: MessageHandler, message: NatsMessageLike): void {
    const { subject, data: payload, reply } = message
    const replyTo = reply === undefined || reply === '' ? undefined : reply
    // An exception here would end the client's reader and leave a connection that hears nothing.
    sheltered(
      () => handler({ subject, payload, replyTo, noResponders: isNoResponders(message) }),
      (error) => this.#logger.error({ subject, error }, 'The handler of a subscription threw.'),
    )
  }

  #reporter(what: string): (thrown: unknown) => void {
    return (error) => this.#logger.error({ error }, what)
  }

  async #watch(): Promise<void> {
    for await (const status of this.#statuses) {
      if (this.#closing !== undefined) return
      sheltered(
        () => this.#take(status),
        this.#reporter('A status of the NATS connection could not be read.'),
      )
    }
  }

  #take(status: NatsStatusLike): void {
    const text = statusText(status)
    switch (status.type) {
      case 'disconnect':
        this.#logger.warn({ server: text }, 'Lost the connection to NATS; reconnecting.')
        this.#report(false, `Lost the connection to NATS at ${text}; reconnecting.`)
        return
      case 'reconnect':
        this.#logger.info({ server: text }, 'Connected to NATS again.')
        for (const registration of this.#registrations) if (registration.refused) this.#attach(registration)
        this.#report(true, `Connected to ${text}.`)
        return
      case 'ldm':
        this.#logger.warn({ server: text }, 'The NATS server is about to stop; another will be used.')
        return
      case 'error':
        this.#error(status, text)
        return
      default:
        this.#logger.debug({ type: status.type, text }, 'NATS status.')
    }
  }

  #error(status: NatsStatusLike, text: string): void {
    const violation = permissionViolationOf(status)
    if (violation === undefined) {
      this.#logger.warn({ error: text }, 'NATS reported an error.')
      return
    }
    const { operation, subject } = violation
    const key = `${operation} ${subject}`
    const nowMs = this.#clock.nowMs()
    const loggedAtMs = this.#violationsLoggedAtMs.get(key) ?? Number.NEGATIVE_INFINITY
    if (nowMs - loggedAtMs < VIOLATION_LOG_INTERVAL_MS) return
    if (this.#violationsLoggedAtMs.size >= MAX_VIOLATIONS_TOLD_APART) this.#violationsLoggedAtMs.clear()
    this.#violationsLoggedAtMs.set(key, nowMs)
    this.#logger.warn(
      { operation, subject },
      `NATS does not permit this user the ${operation} of "${subject}"; compare with \`quorate permissions\`.`,
    )
  }

  #ended(error: unknown): void {
    if (this.#closing !== undefined) return
    const why = error instanceof Error ? `: ${error.message}` : ''
    this.#logger.error({ error }, 'The connection to NATS is closed for good.')
    this.#report(false, `The connection to NATS is closed for good${why}.`)
  }

  #report(connected: boolean, detail: string): void {
    const maxPayloadBytes = this.#connection.info?.max_payload ?? this.#feed.current.maxPayloadBytes
    this.#feed.set({ connected, maxPayloadBytes, detail })
  }

  #server(): string {
    return this.#connection.getServer()
  }
}
