// Calls that wait for their answer: each ends exactly once, by an answer, by its time-out or by a failure of all.

import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { BEATS } from '../wire/messages/beats.ts'
import type { RpcMethod } from '../wire/messages/registry.ts'
import type { PRESENCE, RpcFailure } from './peer-rpc.ts'

/** Neither function may throw: one call that ends must not keep the next from ending. */
export interface PendingCall {
  readonly to: string
  readonly method: RpcMethod | typeof PRESENCE | typeof BEATS
  /** Takes what came back under `token`, and removes the call when that is its answer. */
  readonly answered: (token: string, payload: Uint8Array) => void
  readonly failed: (failure: RpcFailure) => void
}

interface Waiting {
  readonly call: PendingCall
  readonly timer: TimerHandle
}

export class PendingCalls {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Waiting>()
  #counter = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Returns the token that an answer must carry. The time-out is judged one turn after it is due: a process that was
   * held up finds its timers due and its mail unread, and an answer that already lies in the socket counts.
   */
  add(call: PendingCall, timeoutMs: number): string {
    this.#counter += 1
    const token = this.#counter.toString(36)
    const expire = (): void => {
      if (!this.#waiting.delete(token)) return
      const message = `${call.to} did not answer ${call.method} within ${timeoutMs} ms.`
      call.failed({ code: 'TIMEOUT', message })
    }
    const due = (): void => this.#clock.defer(expire)
    this.#waiting.set(token, { call, timer: this.#clock.setTimeout(due, timeoutMs) })
    return token
  }

  get(token: string): PendingCall | undefined {
    return this.#waiting.get(token)?.call
  }

  /** Takes a call off the list; its time-out will not come. */
  remove(token: string): void {
    const waiting = this.#waiting.get(token)
    if (waiting === undefined) return
    this.#waiting.delete(token)
    this.#clock.clearTimeout(waiting.timer)
  }

  /** Ends every waiting call, after the current turn. */
  failAll(failure: RpcFailure): void {
    if (this.#waiting.size === 0) return
    const calls = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { timer } of calls) this.#clock.clearTimeout(timer)
    this.#clock.defer(() => {
      for (const { call } of calls) call.failed(failure)
    })
  }
}
