// Works through the apply queue: hands committed entries to the user's state machine in order, settles their callers,
// runs notices and queries in between. Never two calls of user code that change the state at a time, and never longer
// than a slice without letting timers and messages in.

import { QuorateError } from '../../errors.ts'
import { decodeConfiguration } from '../../log/configuration-codec.ts'
import { EntryType, type LogEntry, type LogId, NOTHING } from '../../rules/types.ts'
import { messageOf, toError } from '../../runtime/errors.ts'
import { passes } from '../../runtime/trace-points.ts'
import {
  type ApplyQueueEvent,
  type ExclusiveTask,
  isPosition,
  type LoadedPosition,
} from './apply-queue.events.ts'
import type { ApplyWorld } from './apply-world.ts'
import { settleProposal } from './closures.ts'
import { CommittedEntries } from './committed-entries.ts'
import { tellConfiguration, tellNotice } from './notices.ts'
import { Reading } from './reading.ts'
import { SlowCode } from './slow-code.ts'
import { FAILED, type Returned, UserCode } from './user-code.ts'

export interface ApplyWorkerInput {
  readonly world: ApplyWorld
  /** Tells the queue that there may be something to do again. */
  readonly resume: () => void
}

type Task = Exclude<ApplyQueueEvent, { type: 'resumed' | 'query' | 'nodeFailed' }>
type Notice = Exclude<Task, { type: 'committed' } | { task: ExclusiveTask }>

export class ApplyWorker {
  readonly #world: ApplyWorld
  readonly #code: UserCode
  readonly #reading: Reading
  readonly #slow: SlowCode
  readonly #entries: CommittedEntries
  readonly #resume: () => void
  #tasks: Task[] = []
  #applied: LogId = NOTHING
  /** What the node was told last. */
  #told = 0
  #appliedBytes = 0
  /** What user code has been called for and has not come back from. */
  #away: LogEntry | ExclusiveTask | null = null
  /** Entries applied in this slice. */
  #inSlice = 0
  #yielded = false
  #stopped = false
  #failure: Error | null = null
  #failureReported = false
  /** It was user code that failed, not what it stands on. */
  #userFailed = false

  constructor({ world, resume }: ApplyWorkerInput) {
    this.#world = world
    this.#resume = resume
    this.#code = new UserCode(world.group, world.stateMachine, world.logger)
    this.#reading = new Reading(world, this.#code, resume)
    this.#slow = new SlowCode(world)
    this.#entries = new CommittedEntries({
      world,
      resume,
      unreadable: (why, cause) =>
        this.#fail(new QuorateError('STORAGE', `The log cannot be read: ${why}`, { cause })),
    })
  }

  /** Failed, and no call of user code is under way. */
  get hasFailed(): boolean {
    return this.#failure !== null && this.#away === null
  }

  get isStopped(): boolean {
    return this.#stopped
  }

  get isIdle(): boolean {
    return this.#tasks.length === 0 && this.#away === null && !this.#yielded
  }

  /** Commits that follow one another become one; everything else keeps its place (braft FSMCaller::run). */
  enqueue(event: ApplyQueueEvent): void {
    if (event.type === 'resumed') return
    if (event.type === 'query') return this.#reading.add(event.query)
    if (event.type === 'nodeFailed') {
      // Ahead of what is queued, after what is being done (braft FSMCaller::on_error).
      this.#failure ??= event.error
      return
    }
    if ('task' in event) this.#world.exclusiveTasks.add(event.task)
    const newest = this.#tasks.at(-1)
    if (event.type === 'committed' && newest?.type === 'committed')
      this.#tasks[this.#tasks.length - 1] = event
    else this.#tasks.push(event)
  }

  /** Goes on until nothing is left, user code has to be waited for, or the slice is over; then `resume` follows. */
  work(): void {
    if (this.#away !== null) return
    this.#yielded = false
    if (this.hasFailed) this.reportFailure()
    const { clock, tuning } = this.#world
    const startedMs = clock.nowMs()
    const endMs = startedMs + tuning.maxApplySliceMs
    this.#inSlice = 0
    this.#answerDue(startedMs + tuning.maxApplySliceMs / 2)
    while (this.#step(endMs)) {
      if (!this.#sliceIsOver(endMs)) continue
      if (this.#tasks.length > 0) this.#yield()
      break
    }
    if (this.#away === null) this.#answerDue(endMs)
    this.#tellApplied()
    this.#slow.worked(startedMs, this.#applied.index)
  }

  #sliceIsOver(endMs: number): boolean {
    return this.#inSlice >= this.#world.tuning.maxApplyBatch || this.#world.clock.nowMs() >= endMs
  }

  #tellApplied(): void {
    if (this.#applied.index === this.#told) return
    this.#told = this.#applied.index
    passes('applied')
    this.#world.send({ type: 'applied', index: this.#told, bytes: this.#appliedBytes })
  }

  /** One task, or as much of it as fits. False: stop for now. */
  #step(endMs: number): boolean {
    const task = this.#tasks[0]
    if (task === undefined || this.#reading.holdsApplies()) return false
    if (task.type === 'committed') return this.#applyUpTo(task.index, endMs)
    if ('task' in task) return this.#runExclusive(task.task)
    this.#tasks.shift()
    this.#notify(task)
    return true
  }

  #applyUpTo(index: number, endMs: number): boolean {
    if (this.#failure !== null) {
      this.#tasks.shift()
      this.#refuseUpTo(index)
      return true
    }
    if (this.#applied.index >= index) {
      this.#tasks.shift()
      this.#entries.forget()
      return true
    }
    const entries = this.#entries.from(this.#applied.index + 1, index)
    // On their way from disk, or unreadable: then the next step refuses what waits for them.
    if (entries === null) return this.#failure !== null
    for (const entry of entries) {
      this.#applyEntry(entry)
      if (this.#away !== null) return false
      if (this.#failure !== null || this.#sliceIsOver(endMs)) break
    }
    return true
  }

  #applyEntry(entry: LogEntry): void {
    this.#inSlice++
    this.#appliedBytes += entry.data.length
    if (entry.type !== EntryType.DATA) {
      this.#applied = { index: entry.index, term: entry.term }
      return this.#configurationApplied(entry)
    }
    const returned = this.#code.apply(entry, this.#appliedLate)
    if (returned !== null) return this.#applyReturned(entry, returned)
    this.#away = entry
    this.#slow.left(entry.index)
  }

  readonly #appliedLate = (entry: LogEntry, returned: Returned): void =>
    this.#back(() => this.#applyReturned(entry, returned))

  #applyReturned({ index, term }: LogEntry, returned: Returned): void {
    if (!returned.ok) {
      const message = `The state machine failed at index ${index}: ${messageOf(returned.error)}`
      const details = { outcome: 'unknown', cause: returned.error } as const
      return this.#fail(new QuorateError('STATE_MACHINE', message, details), true)
    }
    this.#applied = { index, term }
    this.#reading.applied()
    const closure = this.#world.closures.take(index)
    if (closure?.kind === 'proposal') {
      settleProposal(closure, { ok: true, index, term, result: returned.value }, this.#world.completionThrew)
    }
  }

  /** User code has come back from where it was away. */
  #back(conclude: () => void): void {
    if (this.#world.gone) return
    this.#away = null
    this.#slow.cameBack()
    conclude()
    this.#resume()
  }

  #runExclusive(task: ExclusiveTask): boolean {
    if (this.#failure !== null) {
      this.#exclusiveReturned(task, FAILED)
      return true
    }
    const configuration = this.#world.log.configurations.at(this.#applied.index)
    const returned = this.#code.call(
      () => task.run(this.#applied, configuration),
      (late) => this.#back(() => this.#exclusiveReturned(task, late)),
    )
    if (returned === null) {
      this.#away = task
      return false
    }
    this.#exclusiveReturned(task, returned)
    return true
  }

  #exclusiveReturned(task: ExclusiveTask, returned: Returned): void {
    const type = this.#tasks.shift()?.type
    this.#reading.applied()
    if (returned.ok && isPosition(returned.value)) this.#takePosition(returned.value)
    // Half a state is none: nothing is applied on top of it.
    if (!returned.ok && type === 'snapshotLoad') this.#fail(toError(returned.error), true)
    if (this.#world.exclusiveTasks.delete(task))
      this.#world.shelter(() => task.done(returned.ok ? null : toError(returned.error)))
  }

  /** What was read ahead belongs to where the state stood before. */
  #takePosition({ index, term, configuration }: LoadedPosition): void {
    this.#applied = { index, term }
    if (configuration === undefined) return
    this.#entries.forget()
    tellConfiguration(this.#code, configuration, index)
  }

  /** A stable configuration is news for the user; a term's first entry begins the user's leadership. */
  #configurationApplied(entry: LogEntry): void {
    const configuration = entry.type === EntryType.CONFIGURATION ? decodeConfiguration(entry) : null
    if (configuration !== null) tellConfiguration(this.#code, configuration, entry.index)
    const closure = this.#world.closures.take(entry.index)
    if (closure?.kind === 'leaderStart') {
      this.#code.hook('onLeaderStart', (machine) => machine.onLeaderStart?.(closure.term))
    }
  }

  #notify(task: Notice): void {
    if (task.type !== 'stop') return tellNotice(this.#code, task)
    this.#stopped = true
    this.#answerDue(Number.POSITIVE_INFINITY)
    this.#code.hook('onShutdown', (machine) => machine.onShutdown?.())
    this.#world.send({ type: 'applyQueue.stopped' })
  }

  #answerDue(untilMs: number): void {
    if (this.#failure !== null || this.#stopped) return this.#reading.refuseAll(() => this.#refusal())
    this.#reading.answerDue(this.#applied.index, untilMs, this.#tasks.length > 0)
    if (!this.#yielded && this.#reading.hasDue(this.#applied.index) && this.#tasks.length === 0) this.#yield()
  }

  #fail(error: Error, isUsers = false): void {
    this.#userFailed ||= isUsers && this.#failure === null
    this.#failure ??= error
  }

  /** Tells user and node, once. The urgent way: ahead of whatever is queued (braft FSMCaller::on_error). */
  reportFailure(): void {
    const error = this.#failure
    if (error === null || this.#failureReported) return
    this.#failureReported = true
    this.#refuseUpTo(this.#world.commitIndex)
    this.#code.hook('onError', (machine) => machine.onError?.(error))
    this.#world.send({ type: 'apply.failed', error })
  }

  /** Committed, but this member will not apply it: others have or will. */
  #refuseUpTo(index: number): void {
    for (const closure of this.#world.closures.takeUpTo(index)) {
      if (closure.kind === 'proposal')
        this.#world.shelter(() => closure.done({ ok: false, error: this.#refusal() }))
    }
  }

  #refusal(): QuorateError {
    const cause = this.#failure
    if (cause === null) return new QuorateError('SHUTDOWN', 'The node is closed.', { outcome: 'unknown' })
    return new QuorateError(this.#userFailed ? 'STATE_MACHINE' : 'NODE_FAILED', cause.message, {
      outcome: 'unknown',
      cause,
    })
  }

  /** Lets timers and messages in before going on. */
  #yield(): void {
    this.#yielded = true
    this.#world.clock.defer(this.#resume)
  }
}
