// Answers queries between applies. An answer that takes time holds the applies back, so that it never sees half of a
// change; but only for so long, and then it is the applies' turn.

import { QuorateError } from '../../errors.ts'
import type { LogIndex } from '../../rules/types.ts'
import type { TimerHandle } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { QueryOutcome, QueuedQuery } from './apply-queue.events.ts'
import type { ApplyWorld } from './apply-world.ts'
import { QueryQueue } from './queries.ts'
import type { Returned, UserCode } from './user-code.ts'

export class Reading {
  readonly #world: ApplyWorld
  readonly #code: UserCode
  readonly #resume: () => void
  readonly #queue = new QueryQueue()
  /** Queries that have been asked and not answered yet. */
  #underway = new Set<QueuedQuery>()
  #patience: TimerHandle | null = null
  /** Applies have been held back: they go first, before the next query is asked. */
  #owesApplies = false

  constructor(world: ApplyWorld, code: UserCode, resume: () => void) {
    this.#world = world
    this.#code = code
    this.#resume = resume
  }

  add(query: QueuedQuery): void {
    this.#queue.add(query)
  }

  /** Must applies wait now? Asked when there is something to apply; patience begins to run. */
  holdsApplies(): boolean {
    if (this.#underway.size === 0) return false
    this.#patience ??= this.#world.clock.setTimeout(
      () => this.#loseFaith(),
      Math.max(1, this.#world.tuning.maxReadHoldMs),
    )
    return true
  }

  /** Something was applied: queries may be asked again. */
  applied(): void {
    this.#owesApplies = false
  }

  /** Asks what is due until `untilMs`. `appliesWait`: whoever would hold them back once more has to wait. */
  answerDue(applied: LogIndex, untilMs: number, appliesWait: boolean): void {
    if (appliesWait && (this.#owesApplies || this.#underway.size > 0)) return
    while (this.#queue.isDue(applied)) {
      const next = this.#queue.takeDue(applied)
      if (next !== null) this.#ask(next)
      if (this.#world.clock.nowMs() >= untilMs) return
    }
  }

  /** Is there a query that could be asked now? */
  hasDue(applied: LogIndex): boolean {
    return this.#queue.isDue(applied)
  }

  /** The queue has failed or has stopped: whoever waits learns it. */
  refuseAll(error: () => QuorateError): void {
    for (let next = this.#queue.take(); next !== null; next = this.#queue.take())
      this.#settle(next, { ok: false, error: error() })
  }

  #ask(query: QueuedQuery): void {
    if (!this.#code.canRead) {
      const error = new QuorateError('UNSUPPORTED', 'The state machine has no read method.')
      return this.#settle(query, { ok: false, error })
    }
    const returned = this.#code.read(query.query, (late) => this.#answered(query, late))
    if (returned === null) this.#underway.add(query)
    else this.#settle(query, outcomeOf(returned))
  }

  #answered(query: QueuedQuery, returned: Returned): void {
    if (this.#world.gone || !this.#underway.delete(query)) return
    this.#settle(query, outcomeOf(returned))
    if (this.#underway.size === 0) this.#release()
  }

  /** They have had their time; what they would answer now may be a mixture of before and after. */
  #loseFaith(): void {
    this.#patience = null
    const late = this.#underway
    this.#underway = new Set()
    const message = `The query took longer than ${this.#world.tuning.maxReadHoldMs} ms while commands waited to be applied (maxReadHoldMs).`
    for (const query of late) this.#settle(query, { ok: false, error: new QuorateError('TIMEOUT', message) })
    this.#release()
  }

  #release(): void {
    if (this.#patience !== null) {
      this.#world.clock.clearTimeout(this.#patience)
      this.#owesApplies = true
    }
    this.#patience = null
    this.#resume()
  }

  #settle(query: QueuedQuery, outcome: QueryOutcome): void {
    this.#world.shelter(() => query.done(outcome))
  }
}

function outcomeOf(returned: Returned): QueryOutcome {
  if (returned.ok) return { ok: true, answer: returned.value }
  const { error: cause } = returned
  const error = new QuorateError('STATE_MACHINE', `The query failed: ${messageOf(cause)}`, { cause })
  return { ok: false, error }
}
