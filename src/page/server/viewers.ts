// Browsers that watch: each is sent lines (Server-Sent Events), and cut off when it does not read them. It comes back by
// itself then, and gets all there is anew: nothing is kept for it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { PageMessage } from '../page-protocol.ts'

const MAX_UNREAD_BYTES = 8 * 1024 * 1024
/** Something is sent so often, so that whatever lies between knows that both sides are there. */
const KEEP_ALIVE_MS = 5000
/** What the browser waits before it comes back. */
const RETRY_MS = 1000

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-accel-buffering': 'no',
} as const

export class Viewer {
  readonly #response: ServerResponse
  readonly #clock: Clock
  readonly #gone: () => void
  #timer: TimerHandle | null = null
  #hasGone = false

  /** @param gone is called once. */
  constructor(request: IncomingMessage, response: ServerResponse, clock: Clock, gone: () => void) {
    this.#response = response
    this.#clock = clock
    this.#gone = gone
    response.writeHead(200, HEADERS)
    response.write(`retry: ${RETRY_MS}\n\n`)
    response.on('close', () => this.end())
    request.socket.setTimeout(0)
    this.#keepAlive()
  }

  /** The same text goes to many: whoever has it as JSON already says so. */
  send(message: PageMessage, json: string = JSON.stringify(message)): void {
    if (this.#hasGone) return
    this.#response.write(`data: ${json}\n\n`)
    if (this.#response.writableLength > MAX_UNREAD_BYTES) this.end()
  }

  end(): void {
    if (this.#hasGone) return
    this.#hasGone = true
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#response.destroy()
    this.#gone()
  }

  #keepAlive(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#response.write(': here\n\n')
      if (this.#response.writableLength > MAX_UNREAD_BYTES) this.end()
      else this.#keepAlive()
    }, KEEP_ALIVE_MS)
  }
}
