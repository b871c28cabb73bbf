// What passes between the simulated bus, its connections and whoever watches it.

import type { MessageHandler, TransportStatus } from '../../transport/transport.ts'
import type { Lane, SimProcess } from '../sim-process.ts'
import type { Scheduler } from '../time/scheduler.ts'
import type { HeldMessage } from './hold.ts'
import type { LinkSettings, LossReason } from './link.ts'

/** One message on its way to one subscription. */
export interface BusMessage extends HeldMessage {
  readonly sequence: number
  readonly fromLife: number
  readonly noResponders: boolean
  /** For a reply: the request's place in the run, so that a checker finds what it answers. */
  readonly requestSequence: number | null
}

/** What a checker or a trace may want to see. `sent` comes while the sender's turn still goes on. */
export interface BusObserver {
  sent?(message: BusMessage): void
  lost?(message: BusMessage, reason: LossReason): void
  /** Just before the handler runs. */
  delivered?(message: BusMessage, to: SimProcess): void
}

export interface SimBusOptions {
  readonly scheduler: Scheduler
  readonly seed: number
  readonly observer?: BusObserver
  readonly link?: Partial<LinkSettings>
  readonly maxPayloadBytes?: number
  /**
   * What keeps its order. The port promises it from one publisher to one `subscription` (the default); a real NATS
   * connection keeps it over all subscriptions of a `connection`.
   */
  readonly orderPer?: 'subscription' | 'connection'
}

/** What the bus knows of a connection. */
export interface BusConnection {
  readonly process: SimProcess
  /** Grows with every connection: what was on its way in an older one is lost. */
  readonly connection: number
  /** By publisher, where order is kept per connection. */
  readonly lanes: Map<BusConnection | null, BusLane>
}

/** What a connection asks of the bus. */
export interface BusPort {
  register(pattern: string, registration: Registration): () => void
  /** False: not taken. */
  publish(
    connection: BusConnection,
    subject: string,
    payload: Uint8Array,
    replyTo: string | undefined,
  ): boolean
  status(connected: boolean): TransportStatus
}

/** A subscription as the bus keeps it. */
export interface Registration {
  readonly process: SimProcess
  readonly transport: BusConnection
  readonly handler: MessageHandler
  readonly queue: string | undefined
  active: boolean
  /** Per publishing connection: order is promised from one publisher to one subscription. */
  readonly lanes: Map<BusConnection | null, BusLane>
}

/** One order of delivery. */
export interface BusLane extends Lane {
  lastArrivalMs: number
}
