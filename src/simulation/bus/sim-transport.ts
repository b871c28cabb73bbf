// One process life's connection to the simulated bus: the `Transport` that the real code is given.

import type {
  MessageHandler,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportStatus,
} from '../../transport/transport.ts'
import type { DeathCause, Lane, SimProcess } from '../sim-process.ts'
import { EventKind } from '../time/scheduler.ts'
import { between, chance } from '../time/sim-random.ts'
import type { BusConnection, BusLane, BusPort, Registration } from './bus-types.ts'
import { isSubjectPattern } from './subject-tree.ts'

/** How long a server takes a machine without power for a member of its audience: until its pings time out. */
const LINGER_AFTER_POWER_LOSS_MS = 5000

export class SimTransport implements Transport, BusConnection {
  readonly inbox: string
  readonly process: SimProcess
  /** By publisher, where order is kept per connection. */
  readonly lanes = new Map<BusConnection | null, BusLane>()
  readonly #bus: BusPort
  readonly #statusHandlers = new Set<(status: TransportStatus) => void>()
  readonly #statusLane: Lane
  readonly #unsubscribes = new Map<Registration, () => void>()
  /** Grows with every connection: what was on its way in an older one is lost. */
  #connection = 1
  #connected = true
  /** What this side believes; it learns late that a connection is gone. */
  #believesConnected = true
  #closed = false

  constructor(bus: BusPort, process: SimProcess, inbox: string) {
    this.#bus = bus
    this.process = process
    this.inbox = inbox
    this.#statusLane = { name: `${process.id} bus status` }
    process.onDeath((cause) => this.#die(cause))
  }

  get connection(): number {
    return this.#connection
  }

  get connected(): boolean {
    return this.#connected
  }

  /** Subscriptions in force. */
  get subscriptions(): number {
    return this.#unsubscribes.size
  }

  status(): TransportStatus {
    return this.#bus.status(this.#believesConnected && !this.#closed)
  }

  onStatus(handler: (status: TransportStatus) => void): () => void {
    this.#statusHandlers.add(handler)
    return () => this.#statusHandlers.delete(handler)
  }

  publish(subject: string, payload: Uint8Array, replyTo?: string): boolean {
    if (this.#closed || !this.process.alive || !this.#believesConnected) return false
    // Gone and not yet noticed: taken, and lost without a word.
    if (!this.#connected) return true
    return this.#bus.publish(this, subject, payload, replyTo)
  }

  subscribe(subject: string, handler: MessageHandler, options: SubscribeOptions = {}): Subscription {
    if (!isSubjectPattern(subject)) throw new TypeError(`'${subject}' is no subject to subscribe to.`)
    const registration: Registration = {
      process: this.process,
      transport: this,
      handler,
      queue: options.queue,
      active: this.#connected,
      lanes: new Map(),
    }
    if (this.#closed || !this.process.alive) return { unsubscribe() {} }
    this.#unsubscribes.set(registration, this.#bus.register(subject, registration))
    return { unsubscribe: () => this.#remove(registration) }
  }

  close(): Promise<void> {
    this.#end()
    return Promise.resolve()
  }

  /**
   * The connection is gone at once (B1); this side notices after `noticedAfterMs`, and until then what it publishes
   * is lost silently.
   */
  disconnect(noticedAfterMs: number): void {
    if (this.#closed || !this.#connected) return
    this.#connected = false
    this.#connection++
    for (const registration of this.#unsubscribes.keys()) registration.active = false
    const { connection } = this
    this.process.scheduler.schedule(noticedAfterMs, EventKind.FAULT, () => {
      if (this.#connection === connection && !this.#connected) this.#believe(false)
    })
  }

  /** A new connection with the same subscriptions; what was published meanwhile never comes. */
  reconnect(): void {
    if (this.#closed || this.#connected) return
    this.#connected = true
    this.#connection++
    this.lanes.clear()
    for (const registration of this.#unsubscribes.keys()) {
      registration.active = true
      registration.lanes.clear()
    }
    this.#believe(true)
  }

  /** Tells the process about the state of the bus again, for example after `maxPayloadBytes` changed. */
  announce(): void {
    this.#believe(this.#believesConnected)
  }

  #believe(connected: boolean): void {
    this.process.turn(this.#statusLane, () => {
      this.#believesConnected = connected
      for (const handler of [...this.#statusHandlers]) handler(this.status())
    })
  }

  #die(cause: DeathCause): void {
    // A killed process's sockets are closed by its kernel. Without power nobody says goodbye: for a while the
    // server sends to nobody, and askers get silence instead of "no responders".
    const { random, scheduler } = this.process
    if (cause !== 'powerLoss' || chance(random, 0.3)) {
      this.#end()
      return
    }
    this.#statusHandlers.clear()
    scheduler.schedule(between(random, 0, LINGER_AFTER_POWER_LOSS_MS), EventKind.FAULT, () => this.#end())
  }

  #end(): void {
    this.#closed = true
    this.#statusHandlers.clear()
    for (const registration of [...this.#unsubscribes.keys()]) this.#remove(registration)
  }

  #remove(registration: Registration): void {
    registration.active = false
    this.#unsubscribes.get(registration)?.()
    this.#unsubscribes.delete(registration)
  }
}
