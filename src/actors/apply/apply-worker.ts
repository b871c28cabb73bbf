// Works through the apply queue: hands committed entries to the user's state machine in order, settles their callers,
// runs notices and queries in between. Never two calls of user code at a time.

import { QuorateError } from '../../errors.ts'
import { decodeConfiguration } from '../../log/configuration-codec.ts'
import { isStable } from '../../rules/quorum.ts'
import { EntryType, type LogEntry, type LogId, NOTHING } from '../../rules/types.ts'
import { isThenable, messageOf, toError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { StateMachine } from '../../state-machine.ts'
import { decodeValue } from '../../transport/wire/codec.ts'
import type { NodeCore } from '../node/node.core.ts'
import type { ApplyQueueEvent, ExclusiveTask, QueuedQuery } from './apply-queue.events.ts'
import type { Closure } from './closures.ts'

export interface ApplyWorkerInput {
  readonly core: NodeCore
}

type Task = Exclude<ApplyQueueEvent, { type: 'resumed' | 'query' | 'nodeFailed' }>

/** Payload handed to the log for one read of entries; bounds memory, not work. */
const READ_BYTES = 4 * 1024 * 1024

/** An asynchronous call of user code that has come back. */
type Returned =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }

export class ApplyWorker {
  readonly #core: NodeCore
  readonly #machine: StateMachine
  readonly #logger: Logger
  #tasks: Task[] = []
  #queries: QueuedQuery[] = []
  /** Committed entries read from the log, some of them applied already. */
  #batch: readonly LogEntry[] = []
  #applied: LogId = NOTHING
  /** User code has been called and has not come back. */
  #waiting = false
  #returned: Returned | null = null
  #yielded = false
  #stopped = false
  #failure: Error | null = null
  #failureReported = false
  /** It was user code that failed, not what it stands on. */
  #userFailed = false

  constructor({ core }: ApplyWorkerInput) {
    this.#core = core
    this.#machine = core.input.stateMachine
    this.#logger = core.input.logger
  }

  /** Failed, and no call of user code is under way. */
  get hasFailed(): boolean {
    return this.#failure !== null && !(this.#waiting && this.#returned === null)
  }

  get isStopped(): boolean {
    return this.#stopped
  }

  get isIdle(): boolean {
    return this.#tasks.length === 0 && !this.#waiting && !this.#yielded
  }

  /** Commits that follow one another become one; everything else keeps its place (braft section 8.2). */
  enqueue(event: ApplyQueueEvent): void {
    if (event.type === 'resumed') return
    if (event.type === 'query') {
      this.#queries.push(event.query)
      return
    }
    if (event.type === 'nodeFailed') {
      // Ahead of what is queued, after what is being done (ordering guarantee 5).
      this.#failure ??= event.error
      return
    }
    const newest = this.#tasks.at(-1)
    if (event.type === 'committed' && newest?.type === 'committed')
      this.#tasks[this.#tasks.length - 1] = event
    else this.#tasks.push(event)
  }

  /** Goes on until nothing is left, user code has to be waited for, or it is others' turn; then `resume` follows. */
  work(resume: () => void): void {
    if (this.#waiting && this.#returned === null) return
    this.#yielded = false
    if (this.hasFailed) this.reportFailure()
    const before = this.#applied.index
    while (this.#step(resume)) {}
    if (this.#applied.index > before) this.#core.send({ type: 'applied', index: this.#applied.index })
  }

  /** One task, or as much of it as fits. False: stop for now. */
  #step(resume: () => void): boolean {
    if (!this.#waiting) this.#answerQueries()
    const task = this.#tasks[0]
    if (task === undefined) return false
    if (task.type === 'committed') return this.#applyUpTo(task.index, resume)
    if (task.type === 'snapshotSave' || task.type === 'snapshotLoad')
      return this.#runExclusive(task.task, resume)
    this.#tasks.shift()
    this.#notify(task)
    return true
  }

  #applyUpTo(index: number, resume: () => void): boolean {
    if (this.#failure !== null || this.#applied.index >= index) {
      this.#tasks.shift()
      if (this.#failure !== null) this.#refuseUpTo(index)
      return true
    }
    const entries = this.#nextEntries(index)
    for (const entry of entries) if (!this.#applyEntry(entry, resume)) return this.#failure !== null
    if (this.#applied.index >= index) {
      this.#tasks.shift()
      return true
    }
    this.#yield(resume)
    return false
  }

  /** Entries after the last applied one, up to `index`; what was read before an asynchronous call is used on. */
  #nextEntries(index: number): readonly LogEntry[] {
    const next = this.#applied.index + 1
    const first = this.#batch[0]?.index ?? 0
    const skip = next - first
    if (first === 0 || skip < 0 || skip >= this.#batch.length) {
      this.#batch = this.#read(next, index)
      return this.#batch
    }
    return this.#batch.slice(skip)
  }

  #read(from: number, to: number): readonly LogEntry[] {
    try {
      const count = Math.min(to - from + 1, this.#core.tuning.maxApplyBatch)
      const entries = this.#core.log.slice(from, count, READ_BYTES)
      if (entries.length > 0) return entries
      throw new Error(`committed entry ${from} is not in the log`)
    } catch (error) {
      this.#fail(new QuorateError('STORAGE', `The log cannot be read: ${messageOf(error)}`, { cause: error }))
      return []
    }
  }

  /** False when the entry is not applied (yet). */
  #applyEntry(entry: LogEntry, resume: () => void): boolean {
    if (entry.type !== EntryType.DATA) {
      this.#applied = { index: entry.index, term: entry.term }
      this.#configurationApplied(entry)
      return true
    }
    if (this.#failure !== null && this.#returned === null) return false
    const returned = this.#returned ?? this.#call(entry, resume)
    if (returned === null) return false
    this.#returned = null
    this.#waiting = false
    if (!returned.ok) {
      this.#userFailed = true
      this.#fail(this.#userError(entry.index, returned.error))
      return false
    }
    this.#applied = { index: entry.index, term: entry.term }
    const closure = this.#core.closures.take(entry.index)
    if (closure?.kind === 'proposal') {
      this.#settle(() =>
        closure.done({ ok: true, index: entry.index, term: entry.term, result: returned.value }),
      )
    }
    return true
  }

  /** Calls the user's `apply`; null when it will come back later. */
  #call(entry: LogEntry, resume: () => void): Returned | null {
    const command = decodeValue(entry.data)
    if (!command.ok)
      return { ok: false, error: new Error(`the command is not valid CBOR (${command.reason})`) }
    try {
      const value = this.#machine.apply(command.value, entry)
      if (!isThenable(value)) return { ok: true, value }
      this.#await(value, resume)
      return null
    } catch (error) {
      return { ok: false, error }
    }
  }

  #await(promise: PromiseLike<unknown>, resume: () => void): void {
    this.#waiting = true
    const back = (returned: Returned): void => {
      this.#returned = returned
      if (!this.#core.gone) resume()
    }
    promise.then(
      (value) => back({ ok: true, value }),
      (error: unknown) => back({ ok: false, error }),
    )
  }

  #runExclusive(task: ExclusiveTask, resume: () => void): boolean {
    const returned = this.#failure === null ? (this.#returned ?? this.#startExclusive(task, resume)) : FAILED
    if (returned === null) return false
    this.#returned = null
    this.#waiting = false
    this.#tasks.shift()
    if (returned.ok) this.#applied = returned.value as LogId
    this.#settle(() => task.done(returned.ok ? null : toError(returned.error)))
    return true
  }

  #startExclusive(task: ExclusiveTask, resume: () => void): Returned | null {
    try {
      const configuration = this.#core.log.configurations.at(this.#applied.index)
      const value = task.run(this.#applied, configuration)
      if (!isThenable(value)) return { ok: true, value }
      this.#await(value, resume)
      return null
    } catch (error) {
      return { ok: false, error }
    }
  }

  /** A stable configuration is news for the user; a term's first entry begins the user's leadership. */
  #configurationApplied(entry: LogEntry): void {
    const configuration = entry.type === EntryType.CONFIGURATION ? decodeConfiguration(entry) : null
    if (configuration !== null && isStable(configuration)) {
      this.#hook(() => this.#machine.onConfigurationCommitted?.(configuration, entry.index))
    }
    const closure = this.#core.closures.take(entry.index)
    if (closure?.kind === 'leaderStart') this.#hook(() => this.#machine.onLeaderStart?.(closure.term))
  }

  #notify(task: Exclude<Task, { type: 'committed' | 'snapshotSave' | 'snapshotLoad' }>): void {
    const machine = this.#machine
    switch (task.type) {
      case 'leaderStart':
        return this.#hook(() => machine.onLeaderStart?.(task.term))
      case 'leaderStop':
        return this.#hook(() => machine.onLeaderStop?.(task.reason))
      case 'startFollowing':
        return this.#hook(() => machine.onStartFollowing?.(task.change))
      case 'stopFollowing':
        return this.#hook(() => machine.onStopFollowing?.(task.change))
      case 'stop':
        this.#stopped = true
        this.#answerQueries()
        this.#hook(() => machine.onShutdown?.())
        return this.#core.send({ type: 'applyQueue.stopped' })
    }
  }

  #answerQueries(): void {
    if (this.#queries.length === 0) return
    const queries = this.#queries
    this.#queries = []
    for (const query of queries) {
      if (this.#failure !== null || this.#stopped)
        this.#settle(() => query.done({ ok: false, error: this.#refusal() }))
      else if (query.index > this.#applied.index) this.#queries.push(query)
      else this.#answer(query)
    }
  }

  #answer({ query, done }: QueuedQuery): void {
    const failed = (error: unknown): void =>
      this.#settle(() =>
        done({
          ok: false,
          error: new QuorateError('STATE_MACHINE', `The query failed: ${messageOf(error)}`, { cause: error }),
        }),
      )
    const { read } = this.#machine
    if (read === undefined) {
      const error = new QuorateError('UNSUPPORTED', 'The state machine has no read method.')
      return this.#settle(() => done({ ok: false, error }))
    }
    try {
      const answer = read.call(this.#machine, query)
      if (!isThenable(answer)) return this.#settle(() => done({ ok: true, answer }))
      answer.then((value) => this.#settle(() => done({ ok: true, answer: value })), failed)
    } catch (error) {
      failed(error)
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
  }

  /** Tells user and node, once. The urgent way: ahead of whatever is queued (ordering guarantee 5). */
  reportFailure(): void {
    const error = this.#failure
    if (error === null || this.#failureReported) return
    this.#failureReported = true
    this.#refuseUpTo(this.#core.commitIndex)
    this.#hook(() => this.#machine.onError?.(error))
    this.#core.send({ type: 'apply.failed', error })
  }

  /** Committed, but this member will not apply it: others have or will. */
  #refuseUpTo(index: number): void {
    for (let at = this.#applied.index + 1; at <= index; at++) {
      const closure: Closure | undefined = this.#core.closures.take(at)
      if (closure?.kind === 'proposal')
        this.#settle(() => closure.done({ ok: false, error: this.#refusal() }))
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

  #userError(index: number, error: unknown): QuorateError {
    const message = `The state machine failed at index ${index}: ${messageOf(error)}`
    return new QuorateError('STATE_MACHINE', message, { outcome: 'unknown', cause: error })
  }

  /** Lets timers and messages in before going on. */
  #yield(resume: () => void): void {
    this.#yielded = true
    this.#core.clock.defer(resume)
  }

  #hook(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#logger.error(
        { group: this.#core.group, error: messageOf(error) },
        'A hook of the state machine threw.',
      )
    }
  }

  #settle(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#logger.error({ group: this.#core.group, error: messageOf(error) }, 'A completion callback threw.')
    }
  }
}

const FAILED: Returned = {
  ok: false,
  error: new QuorateError('NODE_FAILED', 'The node is in its error state.'),
}
