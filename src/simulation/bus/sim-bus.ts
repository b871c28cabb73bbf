// The simulated bus: takes messages from transports, lets links decide their fate, and hands them to subscriptions.

import type { Random } from '../../runtime/random.ts'
import type { TransportStatus } from '../../transport/transport.ts'
import type { SimProcess } from '../sim-process.ts'
import { EventKind, type Scheduler, TICK_MS } from '../time/scheduler.ts'
import { between, chance, pick, streamOf } from '../time/sim-random.ts'
import type {
  BusConnection,
  BusMessage,
  BusObserver,
  BusPort,
  Registration,
  SimBusOptions,
} from './bus-types.ts'
import { Delivery } from './delivery.ts'
import { type Hold, type HoldFilter, MessageHold } from './hold.ts'
import { DEFAULT_LINK, type Link, type LinkSettings, LinkTable, type LossReason } from './link.ts'
import { MessageKinds } from './message-kind.ts'
import { SimTransport } from './sim-transport.ts'
import { isLiteralSubject, SubjectTree } from './subject-tree.ts'

/** A message with the subscription it is for, and the connection whose order it keeps. */
interface Parcel {
  readonly message: BusMessage
  readonly receiver: Registration
  readonly publisher: BusConnection | null
}

const BUS = '$bus'

export class SimBus implements BusPort {
  readonly scheduler: Scheduler
  readonly #random: Random
  readonly #observer: BusObserver
  readonly #tree = new SubjectTree<Registration>()
  readonly #links: LinkTable<Parcel>
  readonly #orderPer: 'subscription' | 'connection'
  readonly #kinds = new MessageKinds()
  readonly #holds: MessageHold<BusMessage>[] = []
  readonly #transports = new Map<string, SimTransport>()
  readonly #delivery: Delivery
  #sequence = 0
  #busyUntilMs = 0
  maxPayloadBytes: number

  constructor(options: SimBusOptions) {
    this.scheduler = options.scheduler
    this.#random = streamOf(options.seed, 'bus')
    this.#observer = options.observer ?? {}
    this.#links = new LinkTable(options.seed, { ...DEFAULT_LINK, ...options.link })
    this.#orderPer = options.orderPer ?? 'subscription'
    this.#delivery = new Delivery({
      scheduler: this.scheduler,
      observer: this.#observer,
      isBlocked: (from, to) => this.link(from, to).blocks > 0,
    })
    this.maxPayloadBytes = options.maxPayloadBytes ?? 1024 * 1024
  }

  /** A connection for one life of one process; it ends with that life. */
  connect(process: SimProcess): SimTransport {
    const token = Math.floor(this.#random.next() * 2 ** 32).toString(36)
    const transport = new SimTransport(this, process, `_INBOX_${process.id}.${process.life}${token}`)
    this.#transports.set(process.id, transport)
    return transport
  }

  /** The newest connection of an endpoint. */
  transportOf(id: string): SimTransport | undefined {
    return this.#transports.get(id)
  }

  get sent(): number {
    return this.#sequence
  }

  get delivered(): number {
    return this.#delivery.delivered
  }

  /**
   * When the last message now on its way arrives, repetitions included. A lane keeps its order, so what a slow link took
   * before it was healed holds up what is sent after; and heartbeats that come again keep a dead leader alive.
   */
  get busyUntilMs(): number {
    return this.#busyUntilMs
  }

  lost(): ReadonlyMap<LossReason, number> {
    return this.#delivery.lostByReason
  }

  /** Living processes that would get a message to `subject`, or take part in the choice where they share a queue. */
  listeners(subject: string): readonly string[] {
    return this.#tree
      .match(subject)
      .filter(({ active, process }) => active && process.alive)
      .map(({ process }) => process.id)
  }

  link(from: string, to: string): Link<Parcel> {
    return this.#links.get(from, to)
  }

  /** Asked by whoever only looks. */
  isBlocked(from: string, to: string): boolean {
    return this.#links.isBlocked(from, to)
  }

  /** Changes what the link does; `null` puts it back to how it was at the start. */
  setLink(from: string, to: string, changes: Partial<LinkSettings> | null): void {
    this.#links.set(from, to, changes)
  }

  /** Nothing passes in this direction, and what is on its way is lost. Counts: each `block` needs its `unblock`. */
  block(from: string, to: string): void {
    this.link(from, to).blocks++
  }

  unblock(from: string, to: string): void {
    const link = this.link(from, to)
    link.blocks = Math.max(0, link.blocks - 1)
  }

  /** Ends every cut, stop and setting of every link. Disconnected endpoints stay so. */
  heal(): void {
    this.#forward(this.#links.heal())
  }

  /** The link keeps what is sent (N7). */
  stop(from: string, to: string): void {
    this.link(from, to).stopped = true
  }

  /** Opens a stopped link: everything it kept goes at once, in order. */
  open(from: string, to: string): void {
    const link = this.link(from, to)
    link.stopped = false
    this.#forward(link.unpark())
  }

  hold(filter: HoldFilter): Hold {
    const hold = new MessageHold<BusMessage>(
      filter,
      (message) => this.#resend(message),
      (ended) => {
        const at = this.#holds.indexOf(ended)
        if (at >= 0) this.#holds.splice(at, 1)
      },
    )
    this.#holds.push(hold)
    return hold
  }

  /**
   * Puts bytes on the bus that no process sent (N9). They take the way of a message from `from`.
   * @returns false when nobody listens there.
   */
  inject(from: string, subject: string, payload: Uint8Array, replyTo?: string): boolean {
    return this.#publish(null, from, 0, subject, payload, replyTo) > 0
  }

  // The transport's side.

  register(pattern: string, registration: Registration): () => void {
    return this.#tree.insert(pattern, registration)
  }

  publish(
    transport: BusConnection,
    subject: string,
    payload: Uint8Array,
    replyTo: string | undefined,
  ): boolean {
    if (payload.byteLength > this.maxPayloadBytes) return false
    const { process } = transport
    const reached = this.#publish(transport, process.id, process.life, subject, payload, replyTo)
    if (reached < 0) return false
    if (reached === 0 && replyTo !== undefined) this.#answerNobody(process, replyTo)
    return true
  }

  status(connected: boolean): TransportStatus {
    return {
      connected,
      maxPayloadBytes: this.maxPayloadBytes,
      detail: connected ? 'Connected to the simulated bus.' : 'The simulated bus cut this connection.',
    }
  }

  /** @returns How many subscriptions the bus knows for it; -1 when the subject is not one. */
  #publish(
    transport: BusConnection | null,
    from: string,
    fromLife: number,
    subject: string,
    payload: Uint8Array,
    replyTo: string | undefined,
  ): number {
    const known = this.#kinds.of(subject)
    if (known === null) return -1
    if (replyTo !== undefined) {
      if (!isLiteralSubject(replyTo)) return -1
      this.#kinds.await(replyTo, known, this.#sequence)
    }
    const receivers = this.#receivers(subject)
    if (receivers.length === 0) return 0
    const copy = Buffer.from(payload)
    for (const receiver of receivers) {
      const message: BusMessage = {
        sequence: this.#sequence++,
        kind: known.kind,
        group: known.group,
        from,
        fromLife,
        to: receiver.process.id,
        subject,
        replyTo,
        payload: copy,
        sentAtMs: this.scheduler.nowMs,
        noResponders: false,
        requestSequence: known.requestSequence,
      }
      this.#observer.sent?.(message)
      // Its process may have been killed at this very point: half of the time just before the message left.
      if (transport?.process.alive === false && chance(this.#random, 0.5)) {
        this.#delivery.lose(message, 'disconnected')
        break
      }
      this.#route({ message, receiver, publisher: transport })
    }
    return receivers.length
  }

  #route(parcel: Parcel): void {
    const { message, receiver } = parcel
    for (const hold of this.#holds) if (hold.take(message)) return
    if (message.from === message.to) {
      this.#send(parcel, this.scheduler.nowMs)
      return
    }
    const link = this.link(message.from, message.to)
    const loss = link.lossOf(message.kind)
    if (loss !== null) {
      this.#delivery.lose(message, loss)
    } else if (link.stopped) {
      const victim = link.park(parcel)
      if (victim !== null) this.#delivery.lose(victim.message, 'overflow')
    } else {
      this.#pass(parcel, link, receiver)
    }
  }

  #pass(parcel: Parcel, link: Link<Parcel>, receiver: Registration): void {
    const { message } = parcel
    const { settings, random } = link
    const arrivalMs = link.arrivalMs(this.scheduler.nowMs, message.payload.byteLength)
    if (chance(random, settings.reorderRate)) {
      this.#delivery.at(arrivalMs + between(random, 0, settings.reorderWindowMs), message, receiver, null)
    } else {
      this.#send(parcel, arrivalMs)
    }
    // Between members anything may happen to a message; a client's request travels as NATS delivers it, whole and once.
    if (message.kind === 'client') return
    if (chance(random, settings.duplicateRate)) {
      const againMs = arrivalMs + between(random, 0, settings.replayMaxMs)
      this.#busyUntilMs = Math.max(this.#busyUntilMs, againMs)
      this.scheduler.scheduleAt(againMs, EventKind.MESSAGE, () => this.#resend(message))
    }
    if (chance(random, settings.damageRate)) this.#sendDamaged(message, receiver, arrivalMs, random)
  }

  /** Sends in the order of the lane, at `arrivalMs` or as soon after it as that order allows. */
  #send({ message, receiver, publisher }: Parcel, arrivalMs: number): void {
    const { lanes } = this.#orderPer === 'subscription' ? receiver : receiver.transport
    let lane = lanes.get(publisher)
    if (lane === undefined) {
      lane = { name: `${message.from} to ${message.to}`, lastArrivalMs: 0 }
      lanes.set(publisher, lane)
    }
    // One tick apart: events of the same instant run in drawn order, those of one lane must not.
    const orderedMs = Math.max(arrivalMs, lane.lastArrivalMs + TICK_MS)
    lane.lastArrivalMs = this.#delivery.at(orderedMs, message, receiver, lane)
    if (lane.lastArrivalMs > this.#busyUntilMs) this.#busyUntilMs = lane.lastArrivalMs
  }

  /** What a stopped link kept goes on, in the order in which it was sent. */
  #forward(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) {
      const { message, receiver } = parcel
      if (!receiver.active) this.#resend(message)
      else this.#send(parcel, this.link(message.from, message.to).arrivalMs(this.scheduler.nowMs, 0))
    }
  }

  /** Released, repeated or late: goes to whoever listens there now, perhaps another life than the one it was for. */
  #resend(message: BusMessage): void {
    let reached = false
    for (const receiver of this.#receivers(message.subject)) {
      if (receiver.process.id !== message.to) continue
      reached = true
      const arrivalMs = this.link(message.from, message.to).arrivalMs(this.scheduler.nowMs, 0)
      this.#send({ message, receiver, publisher: null }, arrivalMs)
    }
    if (!reached) this.#delivery.lose(message, 'nobody')
  }

  #sendDamaged(message: BusMessage, receiver: Registration, arrivalMs: number, random: Random): void {
    const keep = chance(random, 0.2) ? 0 : Math.floor(random.next() * message.payload.byteLength)
    const damaged = { ...message, payload: message.payload.subarray(0, keep) }
    this.#delivery.at(arrivalMs + between(random, 0, 5), damaged, receiver, null)
  }

  /** Everybody interested, of each queue one drawn member. */
  #receivers(subject: string): Registration[] {
    const matched = this.#tree.match(subject).filter((receiver) => receiver.active)
    if (matched.every((receiver) => receiver.queue === undefined)) return matched
    const queues = new Set(matched.map((receiver) => receiver.queue))
    return [...queues].flatMap((queue) => {
      const members = matched.filter((receiver) => receiver.queue === queue)
      return queue === undefined ? members : [pick(this.#random, members)]
    })
  }

  #answerNobody(process: SimProcess, replyTo: string): void {
    for (const receiver of this.#receivers(replyTo)) {
      if (receiver.process !== process) continue
      const message: BusMessage = {
        sequence: this.#sequence++,
        kind: 'noResponders',
        group: '',
        from: BUS,
        fromLife: 0,
        to: process.id,
        subject: replyTo,
        replyTo: undefined,
        payload: new Uint8Array(0),
        sentAtMs: this.scheduler.nowMs,
        noResponders: true,
        requestSequence: null,
      }
      this.#route({ message, receiver, publisher: null })
    }
  }
}

export type { BusMessage, BusObserver, SimBusOptions } from './bus-types.ts'
export type { Hold, HoldFilter } from './hold.ts'
