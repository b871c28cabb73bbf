// What the leader does for all instances, and nobody else: fires what is due, runs jobs, performs actions. All of it comes
// back as entries, or is best effort; a leader that dies in the middle leaves nothing behind that the next one does not know.

import type { AnyActorLogic } from 'xstate'
import { messageOf, sheltered } from '../runtime/errors.ts'
import type { StateMachinePort } from '../state-machine.ts'
import { copyValue, encodeValue } from '../transport/wire/codec.ts'
import { Deliveries } from './deliveries.ts'
import { withoutUndefined } from './deterministic.ts'
import { type DueTimer, DueTimers } from './due-timers.ts'
import { plainError } from './instance-codec.ts'
import type { Instances, Resident } from './instances.ts'
import { type JobNews, Jobs } from './jobs.ts'
import { type At, type Effect, isSameTry, type Job } from './shapes.ts'

/** Of why an action failed, in the log of the group. */
const MAX_REASON = 500

export interface LeaderWorkInput {
  readonly port: StateMachinePort
  readonly instances: Instances
  /** What runs for a job, by the version that the group runs. */
  readonly logicOf: (job: Job) => AnyActorLogic | undefined
  readonly jobTimeoutMs: number
  /** Where this member's log stands. */
  readonly at: () => At
}

export class LeaderWork {
  readonly #input: LeaderWorkInput
  readonly #deliveries: Deliveries
  readonly #timers: DueTimers
  readonly #jobs: Jobs
  /** When the newest entry was applied, by the clock of this process. */
  #seen: { readonly timeMs: number; readonly atMs: number }

  constructor(input: LeaderWorkInput) {
    const { port, logicOf, jobTimeoutMs } = input
    const { clock, logger, group } = port
    this.#input = input
    this.#seen = { timeMs: input.at().timeMs, atMs: clock.nowMs() }
    this.#deliveries = new Deliveries({
      clock,
      logger,
      group,
      propose: (command, done) => port.propose(command, done),
    })
    this.#timers = new DueTimers({
      clock,
      nowMs: () => this.#nowMs(),
      due: (timer) => this.#fire(timer),
      isWanted: (timer) => this.#isWanted(timer),
    })
    this.#jobs = new Jobs({
      ...{ group, logicOf, clock, logger, timeoutMs: jobTimeoutMs },
      nowMs: () => this.#nowMs(),
      heard: (key, id, job, news) => this.#heard(key, id, job, news),
    })
  }

  /** What others have left: all that waits, at all instances. */
  begin(): void {
    for (const resident of this.#input.instances.residents()) this.#follow(resident)
  }

  /** Something was applied while this member led. */
  applied(key: string | null, effects: readonly Effect[], at: At): void {
    this.#noteTime(at.timeMs)
    if (key === null) return
    const resident = this.#input.instances.resident(key)
    if (resident !== undefined) this.#follow(resident, at)
    for (const effect of effects) this.#perform(key, effect)
  }

  deliver(command: readonly unknown[], isWanted: () => boolean): void {
    this.#deliveries.deliver({ command, isWanted, isIdempotent: true })
  }

  end(): void {
    this.#deliveries.end()
    this.#timers.clear()
    this.#jobs.stopAll()
  }

  /** With `at`: only timers that were armed there are new. */
  #follow({ key, timers, jobs }: Resident, at?: At): void {
    for (const [id, { armedAt, dueAtMs }] of timers ?? [])
      if (at === undefined || armedAt === at.index) this.#timers.add({ dueAtMs, key, id, armedAt })
    this.#jobs.follow(key, jobs)
  }

  /** The time of the log: what was seen there last, and what has passed since. It is never ahead of the next entry's. */
  #nowMs(): number {
    return this.#seen.timeMs + (this.#input.port.clock.nowMs() - this.#seen.atMs)
  }

  /** After a start the log may be far behind, until its first new entry. */
  #noteTime(timeMs: number): void {
    if (timeMs <= this.#nowMs()) return
    this.#seen = { timeMs, atMs: this.#input.port.clock.nowMs() }
    this.#timers.look()
    this.#jobs.look()
  }

  #fire(timer: DueTimer): void {
    const { key, id, armedAt } = timer
    this.#deliveries.deliver({
      command: ['fire', key, id, armedAt],
      isWanted: () => this.#isWanted(timer),
      isIdempotent: true,
      // The clock of the log may go slower than this one by a little: later, by as much as is missing there.
      applied: (result) => {
        if (!isEarly(result)) return
        const missingMs = Math.max(1, timer.dueAtMs - this.#input.at().timeMs)
        this.#timers.add({ ...timer, dueAtMs: this.#nowMs() + missingMs })
      },
    })
  }

  #isWanted({ key, id, armedAt }: DueTimer): boolean {
    return this.#input.instances.resident(key)?.timers?.get(id)?.armedAt === armedAt
  }

  #heard(key: string, id: string, job: Job, news: JobNews): void {
    const isWanted = (): boolean => isSameTry(this.#input.instances.resident(key)?.jobs?.get(id), job)
    const command =
      job.action === null ? commandFor(key, id, job.armedAt, news) : this.#tried(key, id, job, news)
    if (command === null) return
    this.#deliveries.deliver({ command, isWanted, isIdempotent: news.type !== 'sent' })
  }

  /** What has become of a durable action; what it returns is of no use to anybody. */
  #tried(key: string, id: string, { src, armedAt, action }: Job, news: JobNews): readonly unknown[] | null {
    if (news.type === 'sent') return null
    if (news.type === 'done') return ['done', key, id, armedAt, {}]
    const { logger, group } = this.#input.port
    logger.warn(
      { group, key, action: src, error: messageOf(news.error) },
      'A durable action of a replicated machine failed.',
    )
    const error = { name: 'Error', message: messageOf(news.error).slice(0, MAX_REASON) }
    return ['missed', key, id, armedAt, action?.failures ?? 0, error]
  }

  /** Best effort: what throws is logged, and nothing hears of it. */
  #perform(key: string, effect: Effect): void {
    const { logger, group } = this.#input.port
    const name = 'name' in effect ? effect.name : effect.type
    const threw = (thrown: unknown): void =>
      logger.warn(
        { group, key, action: name, error: messageOf(thrown) },
        'An action of a replicated machine threw.',
      )
    if (effect.type === 'gaveUp')
      logger.error(
        { group, key, action: effect.name, error: messageOf(effect.error) },
        'A durable action of a replicated machine was given up.',
      )
    if (effect.type === 'act') sheltered(effect.run, threw)
    if (effect.type === 'tell') sheltered(() => this.#jobs.tell(key, effect.job, copyOf(effect.event)), threw)
  }
}

function isEarly(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'code' in result && result.code === 'EARLY'
}

const copyOf = <T>(value: T): T => copyValue(withoutUndefined(value)) as T

/** What cannot be kept is a failure of the job, and said so. */
function commandFor(key: string, id: string, armedAt: number, news: JobNews): readonly unknown[] {
  try {
    if (news.type === 'sent') return checked(['sent', key, id, armedAt, withoutUndefined(news.event)])
    if (news.type === 'failed') return checked(['failed', key, id, armedAt, errorOf(news.error)])
    const output = withoutUndefined(news.output)
    return checked(['done', key, id, armedAt, output === undefined ? {} : { output }])
  } catch (error) {
    const message = `Job ${id} of instance ${key} has come back with what cannot be kept. ${messageOf(error)}`
    return ['failed', key, id, armedAt, { name: 'Error', message }]
  }
}

/** An error is an object with a message, whatever was thrown. */
function errorOf(error: unknown): unknown {
  const plain = plainError(error)
  const hasMessage = typeof plain === 'object' && plain !== null && 'message' in plain
  return hasMessage && typeof plain.message === 'string'
    ? plain
    : { name: 'Error', message: messageOf(error) }
}

function checked(command: readonly unknown[]): readonly unknown[] {
  encodeValue(command)
  return command
}
