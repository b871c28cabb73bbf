// A member of the demo whose process stands still, or whose cable is pulled: what it would hear, say and be woken for is kept
// back or lost on the way, outside of it. The member knows of nothing.

import { type Clock, systemClock } from '../../../runtime/clock.ts'
import type { MessageHandler, Transport } from '../../../transport/transport.ts'

/** What is kept back of one member while it stands still; what comes more is lost, as in a full socket. */
const MAX_HELD = 20_000

export class Stall {
  readonly clock: Clock
  #isPaused = false
  #isCut = false
  readonly #held: (() => void)[] = []

  constructor() {
    this.clock = {
      ...systemClock,
      setTimeout: (run, delayMs) => systemClock.setTimeout(() => this.#when(run), delayMs),
      defer: (run) => systemClock.defer(() => this.#when(run)),
    }
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get isCut(): boolean {
    return this.#isCut
  }

  /** Its timers and messages wait. */
  pause(): void {
    this.#isPaused = true
  }

  /** What waited comes now, in order. */
  resume(): void {
    this.#isPaused = false
    for (const run of this.#held.splice(0)) run()
  }

  /** What it says and what it is sent is lost. */
  cut(): void {
    this.#isCut = true
  }

  heal(): void {
    this.#isCut = false
  }

  /** Its process is gone: what waited for it is, too. */
  drop(): void {
    this.#held.length = 0
    this.#isPaused = false
  }

  /** The connection of this member, with what happens to it in between. */
  on(line: Transport): Transport {
    return {
      status: () => line.status(),
      onStatus: (handler) => line.onStatus((status) => this.#when(() => handler(status))),
      publish: (subject, payload, replyTo) => this.#publish(line, subject, payload, replyTo),
      subscribe: (subject, handler, options) => line.subscribe(subject, this.#heard(handler), options),
      inbox: line.inbox,
      close: () => line.close(),
    }
  }

  #publish(line: Transport, subject: string, payload: Uint8Array, replyTo: string | undefined): boolean {
    if (this.#isCut) return true
    if (!this.#isPaused) return line.publish(subject, payload, replyTo)
    const kept = payload.slice()
    this.#when(() => line.publish(subject, kept, replyTo))
    return true
  }

  #heard(handler: MessageHandler): MessageHandler {
    return (message) => {
      if (this.#isCut) return
      if (!this.#isPaused) return handler(message)
      // The view is valid during this call only.
      const kept = { ...message, payload: message.payload.slice() }
      this.#when(() => {
        if (!this.#isCut) handler(kept)
      })
    }
  }

  #when(run: () => void): void {
    if (!this.#isPaused) return run()
    if (this.#held.length < MAX_HELD) this.#held.push(run)
  }
}
