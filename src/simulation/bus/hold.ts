// Messages that a scenario keeps in its hand: caught on the bus, let go, repeated or thrown away one by one.

import type { MessageKind } from './message-kind.ts'

export interface HoldFilter {
  readonly kind?: MessageKind | readonly MessageKind[]
  readonly from?: string | readonly string[]
  readonly to?: string | readonly string[]
  readonly group?: string
}

/** A message as a scenario sees it. */
export interface HeldMessage {
  readonly kind: MessageKind
  readonly group: string
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly replyTo: string | undefined
  readonly payload: Uint8Array
  readonly sentAtMs: number
}

export interface Hold {
  /** What waits, oldest first. */
  readonly messages: readonly HeldMessage[]
  /** Everything ever caught, oldest first: what `replay` counts in. */
  readonly caught: readonly HeldMessage[]
  /** Sends the `count` oldest on; without a count everything, and the hold ends. */
  release(count?: number): void
  /** Sends a copy of caught message `index` (default: the newest), whether it was released, dropped or neither. */
  replay(index?: number): void
  /** Throws the `count` oldest away, or everything that waits. The hold goes on. */
  drop(count?: number): void
  /** Catches nothing more; what waits keeps waiting. */
  end(): void
}

const allows = <T>(wanted: T | readonly T[] | undefined, value: T): boolean =>
  wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : wanted === value)

export class MessageHold<Message extends HeldMessage> implements Hold {
  readonly #filter: HoldFilter
  readonly #send: (message: Message) => void
  readonly #onEnd: (hold: MessageHold<Message>) => void
  readonly #waiting: Message[] = []
  readonly #caught: Message[] = []

  constructor(
    filter: HoldFilter,
    send: (message: Message) => void,
    onEnd: (hold: MessageHold<Message>) => void,
  ) {
    this.#filter = filter
    this.#send = send
    this.#onEnd = onEnd
  }

  get messages(): readonly Message[] {
    return this.#waiting
  }

  get caught(): readonly Message[] {
    return this.#caught
  }

  /** Takes the message when it is one of those wanted. */
  take(message: Message): boolean {
    const { kind, from, to, group } = this.#filter
    if (!allows(kind, message.kind) || !allows(from, message.from) || !allows(to, message.to)) return false
    if (group !== undefined && group !== message.group) return false
    this.#waiting.push(message)
    this.#caught.push(message)
    return true
  }

  release(count?: number): void {
    if (count === undefined) this.end()
    for (const message of this.#waiting.splice(0, count ?? this.#waiting.length)) this.#send(message)
  }

  replay(index = this.#caught.length - 1): void {
    const message = this.#caught[index]
    if (message === undefined) {
      throw new RangeError(`Nothing to replay: message ${index} of ${this.#caught.length} caught.`)
    }
    this.#send(message)
  }

  drop(count = this.#waiting.length): void {
    this.#waiting.splice(0, count)
  }

  end(): void {
    this.#onEnd(this)
  }
}
