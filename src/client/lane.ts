// One kind of request of one client: collects what is asked in one turn into few messages, follows each operation to
// its answer or its deadline, and tries again what certainly was not done.

import type { QuorateError, QuorateErrorCode } from '../errors.ts'
import type { Answer, Answers, Parsed } from '../protocol/client-protocol.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import type { OpenRequest, Requester } from './requester.ts'
import type { ClientMethod, Destination, Route } from './route.ts'

export interface Operation<T> {
  readonly bytes: Uint8Array
  readonly deadlineMs: number
  resolve(value: T): void
  reject(error: QuorateError): void
  /** Why the latest attempt failed: what its caller learns when time is up before the next one. */
  refusal?: QuorateError
  /** Some attempt had no answer, or one that does not know: of a write that is sent again nobody may say that it was not applied. */
  mayBeApplied?: boolean
}

export interface LaneOptions<T> {
  readonly clock: Clock
  readonly requester: Requester
  readonly method: ClientMethod
  readonly route: Route
  readonly encode: (operations: readonly Uint8Array[]) => Uint8Array
  readonly parse: (reply: Uint8Array, count: number) => Parsed<Answers<T>>
  /** Bounds of one message, asked each time because the bus may change. */
  readonly maxMessage: () => { readonly bytes: number; readonly operations: number }
  /** True: an attempt without an answer may be repeated (reads, writes of a session). False: its outcome is unknown (writes). */
  readonly repeatable: boolean
  /** How long one attempt of a repeatable operation waits. */
  readonly attemptTimeoutMs: number
  /** The pause after the `attempt`th failure in a row. */
  readonly backoffMs: (attempt: number) => number
  readonly operationOverheadBytes: number
  readonly errors: LaneErrors
}

/** The sentences of a lane's own errors. */
export interface LaneErrors {
  nobodyListens(): QuorateError
  /** Held back, because the leader says nothing and no other is found. */
  leaderSilent(): QuorateError
  notSent(): QuorateError
  noAnswer(): QuorateError
  /** Time was up before it could be sent. */
  tooLate(): QuorateError
  badAnswer(problem: string): QuorateError
  closed(sent: boolean): QuorateError
}

interface Flight<T> {
  readonly operations: Operation<T>[]
  readonly to: Destination
  request: OpenRequest | null
  timer: TimerHandle | null
  /** When an attempt of a repeatable kind is given up. */
  readonly giveUpMs: number
}

export class Lane<T> {
  readonly #options: LaneOptions<T>
  #pending: Operation<T>[] = []
  #flushing = false
  #closed = false
  readonly #flights = new Set<Flight<T>>()
  /** Groups of operations that wait for their next attempt, with the timer that wakes them. */
  readonly #resting = new Map<readonly Operation<T>[], TimerHandle>()
  #failures = 0

  constructor(options: LaneOptions<T>) {
    this.#options = options
  }

  add(operation: Operation<T>): void {
    this.#pending.push(operation)
    if (this.#flushing || this.#closed) return
    this.#flushing = true
    this.#options.clock.defer(() => this.#flush())
  }

  close(): void {
    this.#closed = true
    const { clock, errors } = this.#options
    for (const flight of this.#flights) {
      this.#giveUp(flight)
      for (const operation of flight.operations) operation.reject(errors.closed(true))
    }
    for (const [operations, timer] of this.#resting) {
      clock.clearTimeout(timer)
      for (const operation of operations) operation.reject(errors.closed(false))
    }
    this.#resting.clear()
    for (const operation of this.#pending.splice(0)) operation.reject(errors.closed(false))
  }

  /** There is somebody to send to again: what rests goes now, and reads whose member says nothing go elsewhere. */
  resume(): void {
    for (const [operations, timer] of this.#resting) {
      this.#options.clock.clearTimeout(timer)
      for (const operation of operations) this.add(operation)
    }
    this.#resting.clear()
    if (!this.#options.repeatable) return
    for (const flight of this.#flights) {
      if (!flight.to.silent) continue
      this.#giveUp(flight)
      for (const operation of flight.operations) {
        operation.mayBeApplied = true
        this.add(operation)
      }
    }
  }

  #flush(): void {
    this.#flushing = false
    const waiting = this.#stillInTime(this.#pending)
    this.#pending = []
    const limits = this.#options.maxMessage()
    let first = 0
    let bytes = 0
    for (let at = 0; at < waiting.length; at += 1) {
      const size = (waiting[at]?.bytes.byteLength ?? 0) + this.#options.operationOverheadBytes
      if (at > first && (bytes + size > limits.bytes || at - first >= limits.operations)) {
        this.#launch(waiting.slice(first, at))
        first = at
        bytes = 0
      }
      bytes += size
    }
    if (first < waiting.length) this.#launch(first === 0 ? waiting : waiting.slice(first))
  }

  /** A process that stood still may come too late even to send. */
  #stillInTime(operations: Operation<T>[]): Operation<T>[] {
    const { clock, errors } = this.#options
    const nowMs = clock.nowMs()
    if (operations.every(({ deadlineMs }) => deadlineMs > nowMs)) return operations
    return operations.filter((operation) => {
      if (operation.deadlineMs > nowMs) return true
      operation.reject(operation.refusal ?? errors.tooLate())
      return false
    })
  }

  #launch(operations: Operation<T>[]): void {
    const { clock, requester, method, route, encode, attemptTimeoutMs, errors } = this.#options
    const to = route.choose()
    if (to === null) {
      this.#tryAgain(operations, errors.leaderSilent())
      return
    }
    const nowMs = clock.nowMs()
    const flight: Flight<T> = {
      operations,
      to,
      request: null,
      timer: null,
      giveUpMs: nowMs + attemptTimeoutMs,
    }
    const payload = encode(operations.map((operation) => operation.bytes))
    flight.request = requester.send(to.subjects[method], payload, (reply) => {
      this.#land(flight)
      if (reply.noResponders) {
        route.nobodyListens(to)
        this.#tryAgain(operations, errors.nobodyListens())
        return
      }
      const parsed = this.#options.parse(reply.payload, operations.length)
      route.answered(to, parsed.ok ? parsed.value.by : null)
      this.#settle(operations, parsed)
    })
    if (flight.request === null) {
      this.#tryAgain(operations, errors.notSent())
      return
    }
    this.#flights.add(flight)
    route.sent(to)
    this.#watch(flight, nowMs)
  }

  /** Arms the timer for the next operation of the flight that runs out of time after `nowMs`. */
  #watch(flight: Flight<T>, nowMs: number): void {
    const { clock } = this.#options
    let nextMs = Number.POSITIVE_INFINITY
    for (const { deadlineMs } of flight.operations)
      if (deadlineMs > nowMs && deadlineMs < nextMs) nextMs = deadlineMs
    if (this.#options.repeatable) nextMs = Math.min(nextMs, flight.giveUpMs)
    if (nextMs === Number.POSITIVE_INFINITY) {
      this.#giveUp(flight)
      return
    }
    // One turn later, so that an answer that came while the process stood still is heard first.
    const onTimer = (): void => clock.defer(() => this.#flights.has(flight) && this.#runOut(flight))
    flight.timer = clock.setTimeout(onTimer, nextMs - nowMs)
  }

  #runOut(flight: Flight<T>): void {
    const { clock, errors, repeatable } = this.#options
    const nowMs = clock.nowMs()
    if (repeatable && nowMs >= flight.giveUpMs) {
      this.#giveUp(flight)
      this.#tryAgain(flight.operations, errors.noAnswer())
      return
    }
    // Those that are settled here stay in the flight, where answers are found by position: a promise settles once.
    for (const operation of flight.operations)
      if (operation.deadlineMs <= nowMs) operation.reject(errors.noAnswer())
    this.#watch(flight, nowMs)
  }

  #land(flight: Flight<T>): void {
    flight.request?.close()
    if (flight.timer !== null) this.#options.clock.clearTimeout(flight.timer)
    flight.timer = null
    this.#flights.delete(flight)
  }

  #giveUp(flight: Flight<T>): void {
    this.#land(flight)
    this.#options.route.gaveUp(flight.to)
  }

  #settle(operations: readonly Operation<T>[], reply: Parsed<Answers<T>>): void {
    if (!reply.ok) {
      const error = this.#options.errors.badAnswer(reply.problem)
      for (const operation of operations) operation.reject(error)
      return
    }
    const refused: Operation<T>[] = []
    let refusal: QuorateError | null = null
    for (let at = 0; at < operations.length; at += 1) {
      const operation = operations[at]
      const answer: Answer<T> | undefined = reply.value.answers[at]
      if (operation === undefined || answer === undefined) continue
      if (answer.ok) operation.resolve(answer.value)
      else if (this.#isTransient(answer.error)) {
        refusal = answer.error
        refused.push(operation)
      } else operation.reject(answer.error)
    }
    if (refusal === null) this.#failures = 0
    else this.#tryAgain(refused, refusal)
  }

  #isTransient(error: QuorateError): boolean {
    if (error.outcome !== 'not-applied' && !this.#options.repeatable) return false
    return error.retryableIfIdempotent || TRANSIENT.has(error.code)
  }

  /** After a pause, those that have time left. The others learn why the latest attempt failed. */
  #tryAgain(operations: readonly Operation<T>[], refusal: QuorateError): void {
    if (this.#closed) {
      for (const operation of operations) operation.reject(refusal)
      return
    }
    const { clock } = this.#options
    this.#failures += 1
    const pauseMs = this.#options.backoffMs(this.#failures)
    const latestMs = clock.nowMs() + pauseMs
    const resting: Operation<T>[] = []
    for (const operation of operations) {
      operation.refusal = refusal
      if (refusal.outcome !== 'not-applied') operation.mayBeApplied = true
      if (operation.deadlineMs > latestMs) resting.push(operation)
      else operation.reject(refusal)
    }
    if (resting.length === 0) return
    const timer = clock.setTimeout(() => {
      this.#resting.delete(resting)
      for (const operation of resting) this.add(operation)
    }, pauseMs)
    this.#resting.set(resting, timer)
  }
}

/** Another moment or another member may well accept what these refused. */
const TRANSIENT: ReadonlySet<QuorateErrorCode> = new Set([
  'NOT_LEADER',
  'NO_LEADER',
  'LEADERSHIP_LOST',
  'BUSY',
  'SHUTDOWN',
  'NODE_FAILED',
])
