// A NATS connection played by the test, as version 3 of the client has it.

import type {
  NatsLike,
  NatsStatusLike,
  NatsSubscribeOptionsLike,
} from '../../../src/transport/nats/nats-like.ts'

/** A connection as `@nats-io/transport-node` (v3) has it: other words in its statuses, errors as objects. */
export class ThirdVersion implements NatsLike {
  info: { max_payload: number } | undefined = { max_payload: 1000 }
  callback: NatsSubscribeOptionsLike['callback'] = () => {}
  readonly #statuses: NatsStatusLike[] = []
  #wake = (): void => {}

  emit(status: NatsStatusLike): void {
    this.#statuses.push(status)
    this.#wake()
  }
  publish(): void {}
  subscribe(_subject: string, options: NatsSubscribeOptionsLike) {
    this.callback = options.callback
    return { unsubscribe: () => {} }
  }
  async *status(): AsyncGenerator<NatsStatusLike> {
    for (;;) {
      const next = this.#statuses.shift()
      if (next !== undefined) yield next
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
  getServer = (): string => '127.0.0.1:4222'
  isClosed = (): boolean => false
  closed = (): Promise<unknown> => new Promise(() => {})
  flush = (): Promise<void> => Promise.resolve()
  close = (): Promise<void> => Promise.resolve()
}
