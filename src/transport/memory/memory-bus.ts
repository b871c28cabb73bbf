// The in-process bus: what NATS does for several processes, for one. Messages are delivered after the turn in which
// they were published, in that order, never inside `publish`.

import { QuorateError } from '../../errors.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { sheltered } from '../../runtime/errors.ts'
import { type Logger, shelteredLogger } from '../../runtime/logger.ts'
import { inboxPrefixOf } from '../permissions.ts'
import { isToken } from '../subjects.ts'
import { MemoryConnection, type Receiver, type Switchboard } from './memory-connection.ts'
import { SubjectTrie } from './subject-trie.ts'

export interface MemoryBusOptions {
  readonly clock?: Clock
  readonly logger?: Logger
  /** Default 1 MiB, as nats-server. */
  readonly maxPayloadBytes?: number
}

interface Delivery {
  readonly receiver: Receiver
  readonly subject: string
  readonly payload: Uint8Array
  readonly replyTo: string | undefined
  readonly noResponders: boolean
}

const NO_PAYLOAD = new Uint8Array(0)

export class MemoryBus {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #receivers = new SubjectTrie<Receiver>()
  readonly #switchboard: Switchboard
  #queue: Delivery[] = []
  #connections = 0
  /** Turns the members of queue groups. */
  #turn = 0

  constructor(options: MemoryBusOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.#logger = shelteredLogger(options.logger)
    this.#switchboard = {
      maxPayloadBytes: options.maxPayloadBytes ?? 1024 * 1024,
      logger: this.#logger,
      add: (receiver) => this.#receivers.add(receiver.subject, receiver),
      remove: (receiver) => this.#receivers.remove(receiver.subject, receiver),
      route: (sender, subject, payload, replyTo) => this.#route(sender, subject, payload, replyTo),
    }
  }

  /** @throws QuorateError INVALID when `name` is not `[A-Za-z0-9_-]{1,64}`. */
  connect(name: string): MemoryConnection {
    if (!isToken(name)) {
      throw new QuorateError(
        'INVALID',
        `Name ${JSON.stringify(name)} must be 1 to 64 letters, digits, _ or -.`,
      )
    }
    this.#connections += 1
    return new MemoryConnection(this.#switchboard, name, `${inboxPrefixOf(name)}.${this.#connections}`)
  }

  #route(sender: MemoryConnection, subject: string, payload: Uint8Array, replyTo: string | undefined): void {
    let copy: Uint8Array | undefined
    let queues: Map<string, Receiver[]> | undefined
    const deliver = (receiver: Receiver): void => {
      copy ??= payload.length === 0 ? NO_PAYLOAD : new Uint8Array(payload)
      this.#enqueue({ receiver, subject, payload: copy, replyTo, noResponders: false })
    }
    this.#receivers.match(subject, (receiver) => {
      if (receiver.queue === undefined) {
        deliver(receiver)
        return
      }
      queues ??= new Map()
      const members = queues.get(receiver.queue)
      if (members === undefined) queues.set(receiver.queue, [receiver])
      else members.push(receiver)
    })
    if (queues !== undefined) for (const members of queues.values()) this.#pick(members, deliver)
    if (copy === undefined && replyTo !== undefined) this.#sayNobodyListens(sender, replyTo)
  }

  #pick(members: readonly Receiver[], deliver: (receiver: Receiver) => void): void {
    this.#turn += 1
    const chosen = members[this.#turn % members.length]
    if (chosen !== undefined) deliver(chosen)
  }

  /** As nats-server does: only to the connection that asked. */
  #sayNobodyListens(sender: MemoryConnection, replyTo: string): void {
    this.#receivers.match(replyTo, (receiver) => {
      if (receiver.owner !== sender) return
      this.#enqueue({
        receiver,
        subject: replyTo,
        payload: NO_PAYLOAD,
        replyTo: undefined,
        noResponders: true,
      })
    })
  }

  #enqueue(delivery: Delivery): void {
    this.#queue.push(delivery)
    if (this.#queue.length === 1) this.#clock.defer(() => this.#flush())
  }

  #flush(): void {
    const deliveries = this.#queue
    this.#queue = []
    for (const { receiver, subject, payload, replyTo, noResponders } of deliveries) {
      if (!receiver.live) continue
      sheltered(
        () => receiver.handler({ subject, payload, replyTo, noResponders }),
        (error) => this.#logger.error({ subject, error }, 'The handler of a subscription threw.'),
      )
    }
  }
}

let shared: MemoryBus | undefined

/** The bus that every host of this process shares when it is given no other. */
export function defaultMemoryBus(): MemoryBus {
  shared ??= new MemoryBus()
  return shared
}
