// The jobs of all instances at the leader: what machines invoke runs here, as actors of XState, and what comes of it is
// handed on. A job that has no result when leadership ends is stopped; the next leader starts it over.

import {
  type ActorLogic,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  createActor,
  type EventObject,
  type Snapshot,
} from 'xstate'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import { messageOf, sheltered } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { copyValue } from '../transport/wire/codec.ts'
import { type DueTimer, DueTimers } from './due-timers.ts'
import { isSameTry, type Job } from './shapes.ts'

/** Of what a job says to its logger, in one line of the log. */
const MAX_SAID = 1000

/** What has become of a job. */
export type JobNews =
  | { readonly type: 'done'; readonly output: unknown }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'sent'; readonly event: EventObject }

export interface JobsInput {
  readonly group: string
  readonly logicOf: (job: Job) => AnyActorLogic | undefined
  /** In the time of the log. */
  readonly nowMs: () => number
  readonly clock: Clock
  readonly logger: Logger
  /** 0: a job may take as long as it likes. */
  readonly timeoutMs: number
  readonly heard: (key: string, id: string, job: Job, news: JobNews) => void
}

interface Running {
  readonly job: Job
  /** Null: a durable action that has failed, and waits for its time. */
  readonly parent: AnyActorRef | null
  readonly tell: (event: EventObject) => void
  readonly timeout: TimerHandle | null
  /** It has a result, which is on its way: it is not started again. */
  isOver: boolean
}

export class Jobs {
  readonly #input: JobsInput
  readonly #running = new Map<string, Map<string, Running>>()
  readonly #waits: DueTimers

  constructor(input: JobsInput) {
    const { clock, nowMs } = input
    this.#input = input
    this.#waits = new DueTimers({
      ...{ clock, nowMs },
      due: (timer) => this.#due(timer),
      isWanted: (timer) => this.#waiting(timer) !== null,
    })
  }

  /** What an instance waits for now: starts what is new, stops what is not wanted any more. */
  follow(key: string, jobs: ReadonlyMap<string, Job> | null): void {
    const running = this.#running.get(key)
    for (const [id, { job }] of running ?? []) if (!isSameTry(jobs?.get(id), job)) this.#stop(key, id)
    for (const [id, job] of jobs ?? [])
      if (this.#running.get(key)?.get(id) === undefined) this.#begin(key, id, job)
  }

  tell(key: string, id: string, event: EventObject): void {
    this.#running.get(key)?.get(id)?.tell(event)
  }

  /** The time has made a step. */
  look(): void {
    this.#waits.look()
  }

  stopAll(): void {
    this.#waits.clear()
    for (const [key, jobs] of [...this.#running]) for (const id of [...jobs.keys()]) this.#stop(key, id)
  }

  #begin(key: string, id: string, job: Job): void {
    const dueAtMs = job.action?.dueAtMs ?? 0
    if (dueAtMs <= this.#input.nowMs()) return this.#start(key, id, job)
    this.#note(key, id, { job, parent: null, tell: () => {}, timeout: null, isOver: false })
    this.#waits.add({ dueAtMs, key, id, armedAt: job.armedAt })
  }

  #due(timer: DueTimer): void {
    const waiting = this.#waiting(timer)
    if (waiting !== null) this.#start(timer.key, timer.id, waiting.job)
  }

  #waiting({ key, id, armedAt }: DueTimer): Running | null {
    const running = this.#running.get(key)?.get(id)
    return running?.parent === null && running.job.armedAt === armedAt ? running : null
  }

  #note(key: string, id: string, running: Running): void {
    const jobs = this.#running.get(key) ?? new Map<string, Running>()
    this.#running.set(key, jobs.set(id, running))
  }

  #start(key: string, id: string, job: Job): void {
    const { group, logicOf, clock, logger, timeoutMs } = this.#input
    const logic = logicOf(job)
    if (logic === undefined) return
    // Whoever pays or mails by it does so once: it is the same when the next leader starts the job over.
    const name = `${group}/${key}/${id}/${job.armedAt}`
    const heard = (news: JobNews): void => this.#heard(key, id, job, news)
    const child = new JobActor(name, logic, copyValue(job.input), heard)
    const parent = createActor(child, {
      clock: {
        setTimeout: (run, ms) => clock.setTimeout(run, ms),
        clearTimeout: (handle) => clock.clearTimeout(handle),
      },
      logger: (...words: unknown[]) => {
        const said = words.map(String).join(' ').slice(0, MAX_SAID)
        logger.info({ group, job: name, said }, 'A job of a replicated machine says something.')
      },
    })
    parent.subscribe({ error: (error) => heard({ type: 'failed', error }) })
    const late = {
      name: 'TimeoutError',
      message: `Job ${id} of instance ${key} took longer than ${timeoutMs} ms (jobTimeoutMs).`,
    }
    const timeout =
      timeoutMs > 0 ? clock.setTimeout(() => heard({ type: 'failed', error: late }), timeoutMs) : null
    this.#note(key, id, { job, parent, tell: (event) => child.tell(event), timeout, isOver: false })
    parent.start()
  }

  #heard(key: string, id: string, job: Job, news: JobNews): void {
    const running = this.#running.get(key)?.get(id)
    if (running?.job !== job || running.isOver) return
    if (news.type !== 'sent') {
      running.isOver = true
      this.#halt(running)
    }
    this.#input.heard(key, id, job, news)
  }

  #stop(key: string, id: string): void {
    const jobs = this.#running.get(key)
    const running = jobs?.get(id)
    jobs?.delete(id)
    if (jobs?.size === 0) this.#running.delete(key)
    if (running !== undefined) this.#halt(running)
  }

  #halt({ parent, timeout }: Running): void {
    if (timeout !== null) this.#input.clock.clearTimeout(timeout)
    sheltered(
      () => parent?.stop(),
      (thrown) =>
        this.#input.logger.warn(
          { group: this.#input.group, error: messageOf(thrown) },
          'A job threw when it was stopped.',
        ),
    )
  }
}

type ParentSnapshot = Snapshot<undefined>
const ACTIVE: ParentSnapshot = { status: 'active', output: undefined, error: undefined }

/** The parent of one job, so that the job has somebody to answer to. */
class JobActor implements ActorLogic<ParentSnapshot, AnyEventObject> {
  readonly #name: string
  readonly #logic: AnyActorLogic
  readonly #given: unknown
  readonly #heard: (news: JobNews) => void
  #child: AnyActorRef | null = null

  constructor(name: string, logic: AnyActorLogic, input: unknown, heard: (news: JobNews) => void) {
    this.#name = name
    this.#logic = logic
    this.#given = input
    this.#heard = heard
  }

  readonly getInitialSnapshot = (): ParentSnapshot => ACTIVE
  readonly getPersistedSnapshot = (): ParentSnapshot => ACTIVE

  readonly start: NonNullable<ActorLogic<ParentSnapshot, AnyEventObject>['start']> = (_, { self }) => {
    this.#child = createActor(this.#logic, { parent: self, id: this.#name, input: this.#given })
    this.#child.start()
  }

  readonly transition: ActorLogic<ParentSnapshot, AnyEventObject>['transition'] = (
    snapshot,
    event,
    scope,
  ) => {
    if (event.type === 'xstate.stop') {
      if (this.#child !== null) scope.stopChild(this.#child)
      return { status: 'stopped', output: undefined, error: undefined }
    }
    this.#heard(this.#newsOf(event))
    return snapshot
  }

  tell(event: EventObject): void {
    this.#child?.send(event)
  }

  #newsOf(event: AnyEventObject): JobNews {
    if (event.type === `xstate.done.actor.${this.#name}`) return { type: 'done', output: event.output }
    if (event.type === `xstate.error.actor.${this.#name}`) return { type: 'failed', error: event.error }
    return { type: 'sent', event }
  }
}
