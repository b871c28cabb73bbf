// What the leader does for keys that go by themselves: it waits for the first to be due, and puts a command into the log that
// takes away what is due there. While no key is leased it does nothing at all.

import type { TimerHandle } from '../runtime/clock.ts'
import type { StateMachinePort } from '../state-machine.ts'
import type { KvCommand } from './kv-commands.ts'

/** Clocks fire at once when they are given more; whoever wakes early looks again. */
const MAX_SLEEP_MS = 60 * 60 * 1000
/** After a command that could not be put into the log. */
const RETRY_MS = 100

export interface ExpiryInput {
  readonly port: Pick<StateMachinePort, 'clock' | 'propose'>
  /** When the first key is due; null: none is leased. */
  readonly nextDueMs: () => number | null
  /** Of the newest entry that was applied. */
  readonly timeMs: () => number
}

export class Expiry {
  readonly #input: ExpiryInput
  /** The time of the log, and when it was that by the clock of this process. */
  #seen: { readonly timeMs: number; readonly atMs: number }
  #sleep: { readonly handle: TimerHandle; readonly untilMs: number } | null = null
  #retry: TimerHandle | null = null
  #isUnderWay = false
  #hasEnded = false

  constructor(input: ExpiryInput) {
    this.#input = input
    this.#seen = { timeMs: input.timeMs(), atMs: input.port.clock.nowMs() }
    // How late it is nobody knows before the first entry of a new leader: after a long stop the log is far behind.
    if (input.nextDueMs() !== null) this.#expire()
  }

  /** Something was applied. */
  look(): void {
    const dueMs = this.#input.nextDueMs()
    if (dueMs === null || this.#isUnderWay) return this.#stay()
    const timeMs = this.#input.timeMs()
    const hasStepped = timeMs > this.#nowMs()
    if (hasStepped) this.#note(timeMs)
    if (this.#sleep === null || this.#sleep.untilMs !== dueMs || hasStepped) this.#sleepUntil(dueMs)
  }

  end(): void {
    this.#hasEnded = true
    this.#stay()
    if (this.#retry !== null) this.#input.port.clock.clearTimeout(this.#retry)
    this.#retry = null
  }

  /** Never ahead of the time that the next entry will have. */
  #nowMs(): number {
    return this.#seen.timeMs + (this.#input.port.clock.nowMs() - this.#seen.atMs)
  }

  #note(timeMs: number): void {
    this.#seen = { timeMs, atMs: this.#input.port.clock.nowMs() }
  }

  #sleepUntil(dueMs: number): void {
    this.#stay()
    // Clocks fire a fraction of a millisecond early, too.
    const delayMs = Math.min(Math.max(Math.ceil(dueMs - this.#nowMs()), 1), MAX_SLEEP_MS)
    const handle = this.#input.port.clock.setTimeout(() => {
      this.#sleep = null
      if (dueMs <= this.#nowMs()) this.#expire()
      else this.look()
    }, delayMs)
    this.#sleep = { handle, untilMs: dueMs }
  }

  #stay(): void {
    if (this.#sleep !== null) this.#input.port.clock.clearTimeout(this.#sleep.handle)
    this.#sleep = null
  }

  #expire(): void {
    const command: KvCommand = ['expire']
    this.#isUnderWay = true
    this.#input.port.propose(command, ({ ok }) => {
      this.#isUnderWay = false
      if (this.#hasEnded) return
      if (!ok) return this.#tryAgain()
      // What the log says counts, also where this clock was faster: what is due still, or due later, follows from it.
      this.#note(this.#input.timeMs())
      const dueMs = this.#input.nextDueMs()
      if (dueMs !== null && dueMs <= this.#input.timeMs()) this.#expire()
      else this.look()
    })
  }

  #tryAgain(): void {
    this.#isUnderWay = true
    this.#retry = this.#input.port.clock.setTimeout(() => {
      this.#retry = null
      this.#expire()
    }, RETRY_MS)
  }
}
