// The last step of a message: it arrives, or is lost on the way, and is handed over in a turn of its receiver.

import type { Lane } from '../sim-process.ts'
import { EventKind, type Scheduler } from '../time/scheduler.ts'
import type { BusMessage, BusObserver, Registration } from './bus-types.ts'
import type { LossReason } from './link.ts'

export interface DeliveryOptions {
  readonly scheduler: Scheduler
  readonly observer: BusObserver
  /** Is the way cut when the message arrives? */
  readonly isBlocked: (from: string, to: string) => boolean
}

export class Delivery {
  readonly #options: DeliveryOptions
  readonly lostByReason = new Map<LossReason, number>()
  #scratch = Buffer.alloc(64 * 1024)
  #delivered = 0

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  get delivered(): number {
    return this.#delivered
  }

  /** Delivers at `timeMs`, or loses it then. @returns when, in whole ticks. */
  at(timeMs: number, message: BusMessage, receiver: Registration, lane: Lane | null): number {
    const { connection } = receiver.transport
    return this.#options.scheduler.scheduleAt(timeMs, EventKind.MESSAGE, () => {
      if (this.#options.isBlocked(message.from, message.to)) this.lose(message, 'blocked')
      else if (!receiver.active || receiver.transport.connection !== connection)
        this.lose(message, 'disconnected')
      else receiver.process.turn(lane, () => this.#handOver(message, receiver))
    }).atMs
  }

  lose(message: BusMessage, reason: LossReason): void {
    this.lostByReason.set(reason, (this.lostByReason.get(reason) ?? 0) + 1)
    this.#options.observer.lost?.(message, reason)
  }

  #handOver(message: BusMessage, receiver: Registration): void {
    if (!receiver.active) return
    this.#delivered++
    this.#options.observer.delivered?.(message, receiver.process)
    const { payload } = message
    const length = payload.byteLength
    if (length > this.#scratch.byteLength) this.#scratch = Buffer.alloc(length * 2)
    this.#scratch.set(payload, 0)
    receiver.handler({
      subject: message.subject,
      payload: this.#scratch.subarray(0, length),
      replyTo: message.replyTo,
      noResponders: message.noResponders,
    })
    // Who keeps the view instead of a copy finds nonsense in it, as with a real client's shared chunk.
    this.#scratch.fill(0xdb, 0, length)
  }
}
