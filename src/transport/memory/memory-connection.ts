// One connection to the in-process bus: its subscriptions, its inbox, and whether it is cut off.

import { QuorateError } from '../../errors.ts'
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

/** One life of a subscription: it ends when its connection is lost, so nothing sent before comes after. */
export interface Receiver {
  readonly owner: MemoryConnection
  readonly subject: string
  readonly queue: string | undefined
  readonly handler: MessageHandler
  live: boolean
}

/** What a connection asks of its bus. */
export interface Switchboard {
  readonly maxPayloadBytes: number
  readonly logger: Logger
  add(receiver: Receiver): void
  remove(receiver: Receiver): void
  /** Takes a copy of `payload`. */
  route(sender: MemoryConnection, subject: string, payload: Uint8Array, replyTo: string | undefined): void
}

interface Registration {
  readonly subject: string
  readonly queue: string | undefined
  readonly handler: MessageHandler
  receiver: Receiver | undefined
}

export class MemoryConnection implements Transport {
  readonly inbox: string
  readonly #name: string
  readonly #bus: Switchboard
  readonly #feed: StatusFeed
  readonly #registrations = new Set<Registration>()
  #closed = false

  constructor(bus: Switchboard, name: string, inbox: string) {
    this.#bus = bus
    this.#name = name
    this.inbox = inbox
    this.#feed = new StatusFeed(this.#describe(true, 'is connected to the bus of this process'), (error) =>
      bus.logger.error({ name, error }, 'A listener to the status of the bus threw.'),
    )
  }

  status(): TransportStatus {
    return this.#feed.current
  }

  onStatus(handler: (status: TransportStatus) => void): () => void {
    return this.#feed.listen(handler)
  }

  publish(subject: string, payload: Uint8Array, replyTo?: string): boolean {
    if (!this.#feed.current.connected || payload.length > this.#bus.maxPayloadBytes) return false
    if (!isPublishSubject(subject) || (replyTo !== undefined && !isPublishSubject(replyTo))) return false
    this.#bus.route(this, subject, payload, replyTo)
    return true
  }

  subscribe(subject: string, handler: MessageHandler, options: SubscribeOptions = {}): Subscription {
    if (!isSubscribeSubject(subject)) {
      throw new QuorateError('INVALID', `${JSON.stringify(subject)} is not a subject to listen on.`)
    }
    const registration: Registration = { subject, queue: options.queue, handler, receiver: undefined }
    this.#registrations.add(registration)
    if (this.#feed.current.connected) this.#attach(registration)
    return {
      unsubscribe: () => {
        this.#detach(registration)
        this.#registrations.delete(registration)
      },
    }
  }

  /** Cuts this connection off: what is on its way to it is lost, and `publish` refuses. For tests. */
  disconnect(): void {
    if (this.#closed || !this.#feed.current.connected) return
    for (const registration of this.#registrations) this.#detach(registration)
    this.#feed.set(this.#describe(false, 'lost its connection to the bus of this process'))
  }

  /** Undoes `disconnect`: subscriptions are back before anybody hears of it. For tests. */
  reconnect(): void {
    if (this.#closed || this.#feed.current.connected) return
    for (const registration of this.#registrations) this.#attach(registration)
    this.#feed.set(this.#describe(true, 'is connected to the bus of this process again'))
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.disconnect()
      this.#closed = true
      this.#registrations.clear()
      this.#feed.set(this.#describe(false, 'closed its connection to the bus of this process'))
    }
    return Promise.resolve()
  }

  #attach(registration: Registration): void {
    const { subject, queue, handler } = registration
    registration.receiver = { owner: this, subject, queue, handler, live: true }
    this.#bus.add(registration.receiver)
  }

  #detach(registration: Registration): void {
    const { receiver } = registration
    if (receiver === undefined) return
    receiver.live = false
    registration.receiver = undefined
    this.#bus.remove(receiver)
  }

  #describe(connected: boolean, what: string): TransportStatus {
    return { connected, maxPayloadBytes: this.#bus.maxPayloadBytes, detail: `${this.#name} ${what}.` }
  }
}
