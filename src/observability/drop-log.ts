// Counts what was dropped per reason and sender, and says it once a minute at most. Senders are names from outside,
// so only so many are told apart.

import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { DropReason, Drops } from '../transport/rpc/drops.ts'

export interface DropLogOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Names told apart per reason; further ones are counted under `(others)`. Default 64. */
  readonly maxSenders?: number
  /** Shortest time between two log lines for one reason and sender. Default one minute. */
  readonly logIntervalMs?: number
}

export interface DropCount {
  readonly reason: DropReason
  readonly sender: string
  readonly count: number
}

interface Tally {
  count: number
  unlogged: number
  loggedAtMs: number
}

const OTHERS = '(others)'
const MAX_SENDER_LENGTH = 64

export class DropLog implements Drops {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #maxSenders: number
  readonly #logIntervalMs: number
  readonly #tallies = new Map<DropReason, Map<string, Tally>>()
  #total = 0

  constructor(options: DropLogOptions) {
    this.#clock = options.clock
    this.#logger = options.logger
    this.#maxSenders = options.maxSenders ?? 64
    this.#logIntervalMs = options.logIntervalMs ?? 60_000
  }

  record(reason: DropReason, sender: string, detail: string): void {
    this.#total += 1
    const [name, tally] = this.#tally(reason, sender.slice(0, MAX_SENDER_LENGTH))
    tally.count += 1
    tally.unlogged += 1
    const nowMs = this.#clock.nowMs()
    if (nowMs - tally.loggedAtMs < this.#logIntervalMs) return
    const fields = { reason, sender: name, detail, dropped: tally.unlogged, droppedInTotal: tally.count }
    tally.loggedAtMs = nowMs
    tally.unlogged = 0
    // An answer after its time-out is everyday life on a network.
    if (reason === 'LATE_REPLY') this.#logger.debug(fields, 'Dropped an answer that nobody waits for.')
    else this.#logger.warn(fields, `Dropped a message from ${name}: ${reason}.`)
  }

  /** Everything dropped since the start. */
  get total(): number {
    return this.#total
  }

  counts(): readonly DropCount[] {
    const counts: DropCount[] = []
    for (const [reason, senders] of this.#tallies) {
      for (const [sender, { count }] of senders) counts.push({ reason, sender, count })
    }
    return counts
  }

  #tally(reason: DropReason, sender: string): readonly [name: string, tally: Tally] {
    let senders = this.#tallies.get(reason)
    if (senders === undefined) {
      senders = new Map()
      this.#tallies.set(reason, senders)
    }
    const name = senders.has(sender) || senders.size < this.#maxSenders ? sender : OTHERS
    let tally = senders.get(name)
    if (tally === undefined) {
      tally = { count: 0, unlogged: 0, loggedAtMs: Number.NEGATIVE_INFINITY }
      senders.set(name, tally)
    }
    return [name, tally]
  }
}
