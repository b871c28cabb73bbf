// Tells the operator when the state machine holds the process up, or does not come back from an entry. Looked at once in a
// slice, and once for each call that has to be waited for; not at all where nobody reads the log.

import type { LogIndex } from '../../rules/types.ts'
import { silentLogger } from '../../runtime/logger.ts'
import { Rarely } from '../../runtime/rarely.ts'
import type { ApplyWorld } from './apply-world.ts'

/** Beyond the slice: then one call alone has taken this long. */
const MAX_OVERDUE_MS = 100
const MAX_AWAY_MS = 1000

export type SlowCodeWorld = Pick<ApplyWorld, 'group' | 'logger' | 'clock' | 'tuning'>

export class SlowCode {
  readonly #world: SlowCodeWorld
  readonly #heldUp = new Rarely()
  readonly #stayedAway = new Rarely()
  /** The entry that is waited for, and since when; null: none. */
  #away: { readonly index: LogIndex; readonly sinceMs: number } | null = null
  /** One timer for all entries, which looks again when the one it was set for is back. */
  #isWatching = false

  constructor(world: SlowCodeWorld) {
    this.#world = world
  }

  /** A slice that began then has ended, with everything applied up to `index`. */
  worked(startedMs: number, index: LogIndex): void {
    const { group, logger, clock, tuning } = this.#world
    if (logger === silentLogger) return
    const nowMs = clock.nowMs()
    const tookMs = Math.round(nowMs - startedMs)
    if (tookMs < tuning.maxApplySliceMs + MAX_OVERDUE_MS) return
    const leftOut = this.#heldUp.due(nowMs)
    if (leftOut === null) return
    logger.warn(
      { group, index, tookMs, leftOut },
      `The state machine held this process up for ${tookMs} ms: meanwhile nothing was sent, heard or answered here.`,
    )
  }

  left(index: LogIndex): void {
    const { logger, clock } = this.#world
    if (logger === silentLogger) return
    this.#away = { index, sinceMs: clock.nowMs() }
    if (!this.#isWatching) this.#lookIn(MAX_AWAY_MS)
  }

  cameBack(): void {
    this.#away = null
  }

  #lookIn(delayMs: number): void {
    this.#isWatching = true
    this.#world.clock.setTimeout(() => this.#look(), delayMs)
  }

  #look(): void {
    this.#isWatching = false
    const { group, logger, clock } = this.#world
    if (this.#away === null) return
    const { index, sinceMs } = this.#away
    const nowMs = clock.nowMs()
    const awayMs = Math.round(nowMs - sinceMs)
    if (awayMs < MAX_AWAY_MS) return this.#lookIn(MAX_AWAY_MS - awayMs)
    const leftOut = this.#stayedAway.due(nowMs)
    if (leftOut !== null)
      logger.warn(
        { group, index, awayMs, leftOut },
        `The state machine has not come back from entry ${index} for ${awayMs} ms: nothing behind it is applied meanwhile.`,
      )
    this.#lookIn(MAX_AWAY_MS)
  }
}
