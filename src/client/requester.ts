// Request and reply over the bus: gives every request a reply subject of its own and hands replies to the one who
// asked. It knows no deadlines; whoever asks keeps its own.

import type { InboundMessage, Subscription, Transport } from '../transport/transport.ts'

/** `noResponders`: the bus says that nobody listens. The payload is a view, valid during the call only. */
export type ReplyHandler = (reply: Pick<InboundMessage, 'payload' | 'noResponders'>) => void

/** A request that is waiting for replies, one or many. */
export interface OpenRequest {
  /** Ends the waiting; later replies are dropped. Repeating it is harmless. */
  close(): void
}

// Several clients may share a transport, and so its inbox.
let opened = 0

export class Requester {
  readonly #transport: Transport
  readonly #inbox: string
  readonly #waiting = new Map<string, ReplyHandler>()
  readonly #subscription: Subscription
  #asked = 0

  constructor(transport: Transport) {
    opened += 1
    this.#transport = transport
    this.#inbox = `${transport.inbox}.client${opened}.`
    this.#subscription = transport.subscribe(`${this.#inbox}*`, (message) => {
      this.#waiting.get(message.subject.slice(this.#inbox.length))?.(message)
    })
  }

  /** Null when the request certainly did not leave. `onReply` is never called before this returns. */
  send(subject: string, payload: Uint8Array, onReply: ReplyHandler): OpenRequest | null {
    this.#asked += 1
    const token = this.#asked.toString(36)
    this.#waiting.set(token, onReply)
    if (!this.#transport.publish(subject, payload, this.#inbox + token)) {
      this.#waiting.delete(token)
      return null
    }
    return { close: () => void this.#waiting.delete(token) }
  }

  close(): void {
    this.#waiting.clear()
    this.#subscription.unsubscribe()
  }
}
