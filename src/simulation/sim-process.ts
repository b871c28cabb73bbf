// One life of one simulated process: whatever reaches it (timers, deferred calls, messages, disk answers) passes here,
// so that pausing holds everything back and killing forgets everything.

import type { Random } from '../runtime/random.ts'
import { EventKind, type Scheduler } from './time/scheduler.ts'
import { chance, pick } from './time/sim-random.ts'

/** Turns of one lane keep their order whatever happens; turns without a lane may run in any order. */
export interface Lane {
  readonly name: string
}

export type DeathCause = 'crash' | 'powerLoss' | 'exit'

interface Turn {
  readonly lane: Lane | null
  readonly isTimer: boolean
  readonly run: () => void
}

export interface SimProcessOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  /** The machine it runs on: a member's or a client's name. */
  readonly id: string
  /** 1 for the first process on this machine, growing with every restart. */
  readonly life: number
  /** Called after every turn this process had. */
  readonly onTurn?: (process: SimProcess) => void
}

export class SimProcess {
  readonly id: string
  readonly life: number
  readonly scheduler: Scheduler
  readonly random: Random
  readonly #onTurn: (process: SimProcess) => void
  readonly #deathHandlers: ((cause: DeathCause) => void)[] = []
  /** Came while paused or busy. */
  #backlog: Turn[] = []
  /** Released, in the order drawn then, one event each. */
  #ready: Turn[] = []
  #alive = true
  #paused = false
  #inTurn = false
  /** Its last turn took until then: what comes before waits. */
  #busyUntilMs = 0
  #isReleaseDue = false

  constructor(options: SimProcessOptions) {
    this.id = options.id
    this.life = options.life
    this.scheduler = options.scheduler
    this.random = options.random
    this.#onTurn = options.onTurn ?? (() => {})
  }

  get alive(): boolean {
    return this.#alive
  }

  get paused(): boolean {
    return this.#paused
  }

  /** A turn of this very process is going on. */
  get inTurn(): boolean {
    return this.#inTurn
  }

  /** The turn that is going on takes this much time: what it does from here on, and every later turn, come after it. */
  spend(ms: number): void {
    if (this.#inTurn && ms > 0) this.scheduler.spend(ms)
  }

  /** Turns that wait for `resume`, or for the end of a long turn. */
  get backlog(): number {
    return this.#backlog.length + this.#ready.length
  }

  /**
   * Gives the process one turn of its event loop: now, or after `resume`, or never when it is dead. Call it from an
   * event of the scheduler, never from code of the process itself.
   */
  turn(lane: Lane | null, run: () => void, isTimer = false): void {
    if (!this.#alive) return
    const next: Turn = { lane, isTimer, run }
    if (this.#paused || this.#isBusy) {
      this.#backlog.push(next)
      if (!this.#paused) this.#releaseWhenFree()
    } else if (this.#ready.length > 0) {
      // What was released before is older than this, and lanes keep their order.
      this.#makeReady(next)
    } else this.#take(next)
  }

  /** The event loop stops; the world goes on. */
  pause(): void {
    this.#paused = true
    this.#takeBack()
  }

  /** Everything that waited comes at once: timers before messages, after them, or mixed, as the seed draws. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#release()
  }

  #release(): void {
    const waiting = this.#backlog
    this.#backlog = []
    for (const turn of mergeLanes(this.random, waiting)) this.#makeReady(turn)
  }

  /** Ends this life: nothing of it runs any more, and what it still says in its current turn is not heard. */
  kill(cause: DeathCause): void {
    if (!this.#alive) return
    this.#alive = false
    this.#backlog = []
    this.#ready = []
    for (const handler of this.#deathHandlers.splice(0)) handler(cause)
  }

  onDeath(handler: (cause: DeathCause) => void): void {
    if (this.#alive) this.#deathHandlers.push(handler)
  }

  /** Also while somebody else's turn takes its time: whatever that does here comes when it is over. */
  get #isBusy(): boolean {
    const { nowMs, eventMs } = this.scheduler
    return nowMs < this.#busyUntilMs || nowMs > eventMs
  }

  #take({ run }: Turn): void {
    const { scheduler } = this
    this.#inTurn = true
    try {
      run()
    } finally {
      this.#inTurn = false
    }
    this.#busyUntilMs = scheduler.nowMs
    scheduler.turnEnded()
    this.#onTurn(this)
  }

  #makeReady(turn: Turn): void {
    this.#ready.push(turn)
    this.scheduler.schedule(0, EventKind.OTHER, () => {
      if (!this.#alive) return
      if (this.#isBusy) {
        this.#takeBack()
        return this.#releaseWhenFree()
      }
      const next = this.#ready.shift()
      if (next !== undefined) this.#take(next)
    })
  }

  /** Released earlier and not yet run: still older than everything that comes now. */
  #takeBack(): void {
    this.#backlog = [...this.#ready, ...this.#backlog]
    this.#ready = []
  }

  #releaseWhenFree(): void {
    if (this.#isReleaseDue) return
    this.#isReleaseDue = true
    this.scheduler.scheduleAt(this.#busyUntilMs, EventKind.OTHER, () => {
      this.#isReleaseDue = false
      if (!this.#alive || this.#paused) return
      if (this.#isBusy) this.#releaseWhenFree()
      else this.#release()
    })
  }
}

function mergeLanes(random: Random, turns: readonly Turn[]): Turn[] {
  const order = chance(random, 0.5) ? 'mixed' : chance(random, 0.5) ? 'timersFirst' : 'timersLast'
  if (order === 'mixed') return mixLanes(random, turns)
  const timers = mixLanes(
    random,
    turns.filter((turn) => turn.isTimer),
  )
  const others = mixLanes(
    random,
    turns.filter((turn) => !turn.isTimer),
  )
  return order === 'timersFirst' ? [...timers, ...others] : [...others, ...timers]
}

function mixLanes(random: Random, turns: readonly Turn[]): Turn[] {
  const lanes = new Map<Lane | Turn, Turn[]>()
  for (const turn of turns) {
    const key = turn.lane ?? turn
    const queue = lanes.get(key)
    if (queue === undefined) lanes.set(key, [turn])
    else queue.push(turn)
  }
  const queues = [...lanes.values()].map((queue) => ({ queue, next: 0 }))
  const merged: Turn[] = []
  while (queues.length > 0) {
    const chosen = pick(random, queues)
    const turn = chosen.queue[chosen.next++]
    if (turn !== undefined) merged.push(turn)
    if (chosen.next >= chosen.queue.length) queues.splice(queues.indexOf(chosen), 1)
  }
  return merged
}
