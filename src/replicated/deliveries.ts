// What a leader has to put into the log by itself: timers that are due, results of jobs. So many are under way at a time, and
// what could not be put there is tried again for as long as this member leads and somebody waits for it.

import { isQuorateError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { StateMachinePort } from '../state-machine.ts'

const MAX_UNDER_WAY = 256
const RETRY_MS = 50

export interface Delivery {
  readonly command: readonly unknown[]
  /** Whether it is of any use yet. */
  readonly isWanted: () => boolean
  /** It may stand in the log twice without harm: then it is tried again when nobody knows whether it does. */
  readonly isIdempotent: boolean
  /** Once it was applied, with what came of it. */
  readonly applied?: (result: unknown) => void
}

export interface DeliveriesInput {
  readonly clock: Pick<Clock, 'setTimeout'>
  readonly logger: Logger
  readonly group: string
  readonly propose: StateMachinePort['propose']
}

export class Deliveries {
  readonly #input: DeliveriesInput
  readonly #waiting: Delivery[] = []
  #underWay = 0
  #ended = false

  constructor(input: DeliveriesInput) {
    this.#input = input
  }

  deliver(delivery: Delivery): void {
    this.#waiting.push(delivery)
    this.#next()
  }

  /** Nothing more leaves here. */
  end(): void {
    this.#ended = true
    this.#waiting.length = 0
  }

  #next(): void {
    while (this.#underWay < MAX_UNDER_WAY && !this.#ended) {
      const delivery = this.#waiting.shift()
      if (delivery === undefined) return
      if (delivery.isWanted()) this.#send(delivery)
    }
  }

  #send(delivery: Delivery): void {
    this.#underWay += 1
    this.#input.propose(delivery.command, (outcome) => {
      this.#underWay -= 1
      if (outcome.ok) delivery.applied?.(outcome.result)
      else this.#rejected(delivery, outcome.error)
      this.#next()
    })
  }

  #rejected(delivery: Delivery, error: unknown): void {
    if (this.#ended) return
    const isOpen = isQuorateError(error) && error.outcome === 'unknown'
    const cannot = isQuorateError(error) && (error.code === 'TOO_LARGE' || error.code === 'INVALID')
    if (cannot || (isOpen && !delivery.isIdempotent)) return this.#warn(delivery, error)
    this.#input.clock.setTimeout(() => {
      if (!this.#ended) this.deliver(delivery)
    }, RETRY_MS)
  }

  #warn({ command }: Delivery, thrown: unknown): void {
    const { logger, group } = this.#input
    const [name, key] = command
    logger.warn(
      { group, command: name, key, error: messageOf(thrown) },
      'What a replicated machine had to say did not reach the log.',
    )
  }
}
