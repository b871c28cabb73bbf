// The one copy of an actor that runs in a group: begun when this member leads, ended before another can.

import { Actor, type AnyActorLogic, type InputFrom } from 'xstate'
import type { Holder, LeadershipDoor, Tenure } from '../actors/node/tenure.ts'
import { type FencingToken, judgeTenure, type TenureVerdict } from '../rules/tenure.ts'
import type { TimerHandle } from '../runtime/clock.ts'
import { sheltered, toError } from '../runtime/errors.ts'
import { guardedClock, guardedLogic } from './guarded.ts'

/** What a copy is told when it begins. */
export interface Leadership {
  /** Higher than that of every copy before it, on any member. Send it along with whatever is done in its name. */
  readonly token: FencingToken
  /** Aborted when the copy is told to end. */
  readonly signal: AbortSignal
  /** Whether it is still certain that no other copy runs, now, by the clock of this member. Ask before a step that must not be done twice. */
  holds(): boolean
}

export type CopyChange =
  | { readonly type: 'started'; readonly token: FencingToken }
  /** It is done, or was ended: because leadership moves or is lost, or by `stop`. */
  | { readonly type: 'stopped'; readonly token: FencingToken }
  | { readonly type: 'failed'; readonly token: FencingToken; readonly error: Error }

export interface CopyPlan<L extends AnyActorLogic> {
  readonly logic: L
  readonly inputOf: (leadership: Leadership) => InputFrom<L>
  readonly sayFarewell: (actor: Actor<L>) => void
  readonly marginMs: () => number
  readonly graceMs: () => number
  readonly restart: 'never' | 'onFailure' | 'always'
  readonly restartDelayMs: number
  readonly onChange: (change: CopyChange) => unknown
}

interface Running<L extends AnyActorLogic> {
  readonly actor: Actor<L>
  readonly token: FencingToken
  readonly controller: AbortController
  /** It was told to end, and is stopped then at the latest; null: it was not. */
  stopAtMs: number | null
}

export class LeaderCopy<L extends AnyActorLogic> implements Holder {
  readonly #door: LeadershipDoor
  readonly #plan: CopyPlan<L>
  readonly #unhold: () => void
  #running: Running<L> | null = null
  /** Of the leadership that this member has, or had last. */
  #term = 0
  #runs = 0
  /** In this leadership none is begun any more. */
  #over = false
  #restartAtMs = Number.NEGATIVE_INFINITY
  #timer: TimerHandle | null = null
  #looking = false
  #stopped = false
  #waiting: (() => void)[] = []

  constructor(door: LeadershipDoor, plan: CopyPlan<L>) {
    this.#door = door
    this.#plan = plan
    this.#unhold = door.hold(this)
    this.changed()
  }

  get running(): { readonly actor: Actor<L>; readonly token: FencingToken } | null {
    return this.#running
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Not within the turn of the node: what begins here is a stranger's. */
  changed(): void {
    if (this.#looking || this.#stopped || this.#running !== null || this.#timer !== null) return
    this.#looking = true
    this.#door.clock.defer(() => {
      this.#looking = false
      this.#look()
    })
  }

  lost(): void {
    this.#halt()
    this.#disarm()
  }

  yields(done: () => void): void {
    if (this.#running === null) return done()
    this.#waiting.push(done)
    this.#end()
  }

  /** No copy is begun here any more; `done` is called when the last one has ended. */
  stop(done: () => void): void {
    this.#stopped = true
    this.yields(() => {
      this.#unhold()
      this.#disarm()
      done()
    })
  }

  #look(): void {
    this.#disarm()
    if (this.#running === null) return this.#beginIfDue()
    const verdict = this.#verdict()
    if (verdict.kind === 'run' && this.#running.stopAtMs === null) this.#arm(verdict.lookAtMs)
    else this.#end()
  }

  #beginIfDue(): void {
    const tenure = this.#door.tenure()
    if (this.#stopped || tenure === null || tenure.leaving) return
    if (tenure.term !== this.#term) {
      this.#term = tenure.term
      this.#runs = 0
      this.#over = false
      this.#restartAtMs = Number.NEGATIVE_INFINITY
    }
    if (this.#over) return
    if (this.#now < this.#restartAtMs) return this.#arm(this.#restartAtMs)
    // An earlier leader may not know yet; with its first answer it is known to have ended.
    if (this.#now < tenure.fromMs)
      return this.#arm(Math.min(tenure.fromMs, this.#now + this.#door.heartbeatMs))
    if (this.#verdict().kind === 'run') return this.#begin(tenure)
    // The others have not been heard lately: they will be, or leadership ends.
    this.#arm(this.#now + this.#door.heartbeatMs)
  }

  #begin({ term, index }: Tenure): void {
    const token = { term, index, run: ++this.#runs }
    const controller = new AbortController()
    const holds = (): boolean => this.#isCurrent(token) && this.#verdict().kind !== 'stop'
    const expired = (): boolean => {
      if (holds()) return false
      if (this.#isCurrent(token)) this.#halt()
      return true
    }
    try {
      const input = this.#plan.inputOf({ token, signal: controller.signal, holds })
      const clock = guardedClock(this.#door.clock, expired)
      const actor = new Actor<L>(guardedLogic(this.#plan.logic, expired), { input, clock })
      this.#running = { actor, token, controller, stopAtMs: null }
      actor.subscribe({
        complete: () => this.#ended(token, null),
        error: (error: unknown) => this.#ended(token, toError(error)),
      })
      this.#tell({ type: 'started', token })
      if (this.#isCurrent(token)) actor.start()
    } catch (error) {
      this.#failed(token, toError(error))
    }
    this.#look()
  }

  /** It could not even be made. */
  #failed(token: FencingToken, error: Error): void {
    if (this.#isCurrent(token)) return this.#ended(token, error)
    this.#planRestart(error)
    this.#tell({ type: 'failed', token, error })
  }

  /** By itself, done or failed; or, having been told to end, in time. */
  #ended(token: FencingToken, error: Error | null): void {
    const running = this.#running
    if (running === null || !this.#isCurrent(token)) return
    this.#running = null
    if (running.stopAtMs === null) this.#planRestart(error)
    running.controller.abort()
    this.#tell(error === null ? { type: 'stopped', token } : { type: 'failed', token, error })
    this.#settle()
  }

  #planRestart(error: Error | null): void {
    const { restart, restartDelayMs } = this.#plan
    this.#over = !(restart === 'always' || (restart === 'onFailure' && error !== null))
    this.#restartAtMs = this.#now + restartDelayMs
  }

  /** Tells it to end, and gives it what time there is. */
  #end(): void {
    const running = this.#running
    if (running === null) return
    const verdict = this.#verdict()
    if (verdict.kind === 'stop') return this.#halt()
    if (running.stopAtMs === null) {
      running.stopAtMs = this.#now + this.#plan.graceMs()
      running.controller.abort()
      sheltered(
        () => this.#plan.sayFarewell(running.actor),
        (thrown) => this.#door.report('FAREWELL', thrown),
      )
      if (!this.#isCurrent(running.token)) return
    }
    const stopAtMs = Math.min(running.stopAtMs, verdict.stopAtMs)
    if (this.#now >= stopAtMs) this.#halt()
    else this.#arm(stopAtMs)
  }

  /** At once. When this returns it hears no event any more. */
  #halt(): void {
    const running = this.#running
    if (running === null) return
    this.#running = null
    running.controller.abort()
    sheltered(
      () => running.actor.stop(),
      (thrown) => this.#door.report('STOP', thrown),
    )
    this.#tell({ type: 'stopped', token: running.token })
    this.#settle()
  }

  /** Whoever has waited for the end goes on; and perhaps there is another beginning. */
  #settle(): void {
    this.#disarm()
    for (const done of this.#waiting.splice(0))
      sheltered(done, (thrown) => this.#door.report('WAITING', thrown))
    this.changed()
  }

  #verdict(): TenureVerdict {
    const tenure = this.#door.tenure()
    const untilMs = tenure?.term === this.#term ? tenure.untilMs : Number.NEGATIVE_INFINITY
    const { marginMs, graceMs } = this.#plan
    return judgeTenure({ untilMs, marginMs: marginMs(), graceMs: graceMs() }, this.#now)
  }

  #isCurrent({ term, run }: FencingToken): boolean {
    const token = this.#running?.token
    return token?.term === term && token.run === run
  }

  get #now(): number {
    return this.#door.clock.nowMs()
  }

  #arm(atMs: number): void {
    this.#disarm()
    const look = (): void => {
      this.#timer = null
      this.#look()
    }
    this.#timer = this.#door.clock.setTimeout(look, Math.max(0, atMs - this.#now))
  }

  #disarm(): void {
    if (this.#timer !== null) this.#door.clock.clearTimeout(this.#timer)
    this.#timer = null
  }

  #tell(change: CopyChange): void {
    sheltered(
      () => this.#plan.onChange(change),
      (thrown) => this.#door.report('LISTENER', thrown),
    )
  }
}
