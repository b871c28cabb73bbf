// A member's connection that can be stopped as SIGSTOP does: the bus goes on handing it messages, which wait unread.

import type { InboundMessage, Transport } from '../../src/transport/transport.ts'

export class Pausable {
  readonly transport: Transport
  #waiting: (() => void)[] | null = null

  constructor(inner: Transport) {
    this.transport = {
      inbox: inner.inbox,
      status: () => inner.status(),
      onStatus: (handler) => inner.onStatus(handler),
      publish: (subject, payload, replyTo) => inner.publish(subject, payload, replyTo),
      subscribe: (subject, handler, options) => {
        const receive = (message: InboundMessage): void => {
          if (this.#waiting === null) return handler(message)
          const { subject: at, replyTo, noResponders } = message
          const copy: InboundMessage = {
            subject: at,
            payload: message.payload.slice(),
            replyTo,
            noResponders,
          }
          this.#waiting.push(() => handler(copy))
        }
        return inner.subscribe(subject, receive, options)
      },
      close: () => inner.close(),
    }
  }

  stop(): void {
    this.#waiting ??= []
  }

  go(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const deliver of waiting) deliver()
  }
}
