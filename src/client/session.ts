// A client's session with a group: what is sent in it is sent until there is an answer, and is carried out once.

import type { Applied } from '../api.ts'
import { QuorateError } from '../errors.ts'
import type { LogIndex } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { encodeValue } from '../transport/wire/codec.ts'
import { checkTrace, type SessionMark, sealCommand, type TraceContext } from '../transport/wire/envelope.ts'
import { abortable } from './abortable.ts'
import type { Admission } from './admission.ts'
import type { Lane, Operation } from './lane.ts'

export interface ClientApplyOptions {
  /** Goes through the log to `apply` on every member: a carrier as OpenTelemetry's `propagation.inject` fills it. */
  readonly traceContext?: TraceContext
  /** Ends the waiting; what was sent goes its way. */
  readonly signal?: AbortSignal
}

export interface SessionOptions {
  /**
   * For how long the session may stand idle before the group forgets it, by the time of its log: 1,000 to 86,400,000. Default
   * 600,000. What is sent later begins a new one.
   */
  readonly idleMs?: number
}

/**
 * Commands that are carried out once each, whatever gets lost (Raft dissertation, client sessions). One that has no answer is
 * sent again, also to the next leader, and the group gives the first result to every copy of it.
 */
export interface ClientSession {
  /** By which the group knows it: the index of the entry that began it. Another one when it has been begun anew. */
  readonly id: LogIndex
  /**
   * As the client's `apply`, and tried again until time is up, also when an attempt had no answer. Rejects with outcome `unknown`
   * only then, or as SESSION_EXPIRED: the group has forgotten the session while an attempt had no answer.
   */
  apply<Result = unknown>(command: unknown, options?: ClientApplyOptions): Promise<Applied<Result>>
  /** Tells the group to forget it. What is under way is not waited for. Repeating it is harmless. */
  close(): Promise<void>
}

export interface SessionDeps {
  readonly lane: Lane<Applied>
  readonly clock: Clock
  readonly timeoutMs: number
  /** @throws QuorateError when no operation of so many bytes can be sent, or the client is closed */
  readonly check: (bytes: number) => void
  readonly admission: Admission
}

export const DEFAULT_SESSION_IDLE_MS = 600_000
const MIN_IDLE_MS = 1000
const MAX_IDLE_MS = 86_400_000
const NOTHING = encodeValue(null)

export async function openSession(
  deps: SessionDeps,
  { idleMs = DEFAULT_SESSION_IDLE_MS }: SessionOptions = {},
): Promise<ClientSession> {
  if (!Number.isInteger(idleMs) || idleMs < MIN_IDLE_MS || idleMs > MAX_IDLE_MS) {
    const text = `Option idleMs must be a whole number from ${MIN_IDLE_MS} to ${MAX_IDLE_MS}, not ${idleMs}.`
    throw new QuorateError('INVALID', text)
  }
  const session = new Session(deps, idleMs)
  await session.begin()
  return session
}

class Session implements ClientSession {
  readonly #deps: SessionDeps
  readonly #idleMs: number
  #id: LogIndex = 0
  #sequence = 0
  /** Sequences without a result, in ascending order. */
  #open = new Set<number>()
  #closed = false
  #beginning: Promise<void> | null = null

  constructor(deps: SessionDeps, idleMs: number) {
    this.#deps = deps
    this.#idleMs = idleMs
  }

  get id(): LogIndex {
    return this.#id
  }

  /** Opening is sent again when it has no answer: a session that nobody knows of is forgotten. */
  begin(): Promise<void> {
    this.#beginning ??= this.#send(NOTHING, { session: 0, sequence: this.#idleMs, acknowledged: 0 })
      .then(({ index }) => {
        this.#id = index
        this.#sequence = 0
        this.#open = new Set()
      })
      .finally(() => {
        this.#beginning = null
      })
    return this.#beginning
  }

  apply<Result = unknown>(
    command: unknown,
    { traceContext, signal }: ClientApplyOptions = {},
  ): Promise<Applied<Result>> {
    try {
      if (this.#closed) throw new QuorateError('SHUTDOWN', 'The session is closed.')
      checkTrace(traceContext)
      // Copied before this returns, also when a session is begun first.
      const bytes = encodeValue(command)
      // The members' machine decides what a result is; the caller says what it expects of it.
      const { admission } = this.#deps
      const run = (): Promise<Applied> => {
        admission.take(bytes.byteLength)
        return this.#inOrder(bytes, traceContext).finally(() => admission.give(bytes.byteLength))
      }
      return abortable(signal, 'unknown', run) as Promise<Applied<Result>>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#send(NOTHING, { session: this.#id, sequence: 0, acknowledged: 0 })
  }

  async #inOrder(bytes: Uint8Array, trace: ClientApplyOptions['traceContext']): Promise<Applied> {
    const deadlineMs = this.#deps.clock.nowMs() + this.#deps.timeoutMs
    for (;;) {
      if (this.#beginning !== null) await this.#beginning
      const id = this.#id
      const open = this.#open
      const sequence = ++this.#sequence
      open.add(sequence)
      const [first = sequence] = open
      try {
        return await this.#send(bytes, { session: id, sequence, acknowledged: first - 1 }, trace, deadlineMs)
      } catch (error) {
        if (!isForgotten(error)) throw error
        // No attempt of it can have been carried out, so it may be sent in a session that begins now.
        if (this.#id === id) await this.begin()
      } finally {
        open.delete(sequence)
      }
    }
  }

  #send(
    command: Uint8Array,
    session: SessionMark,
    trace: ClientApplyOptions['traceContext'] = undefined,
    deadlineMs = this.#deps.clock.nowMs() + this.#deps.timeoutMs,
  ): Promise<Applied> {
    return new Promise((resolve, reject) => {
      const bytes = sealCommand(command, { session, trace: trace ?? null })
      this.#deps.check(bytes.byteLength)
      const operation: Operation<Applied> = {
        bytes,
        deadlineMs,
        resolve,
        reject: (error) => reject(operation.mayBeApplied === true ? doubtful(error) : sure(error)),
      }
      this.#deps.lane.add(operation)
    })
  }
}

/** An earlier attempt had no answer: whatever the last one says, the command may be, or may yet be, carried out. */
function doubtful(error: QuorateError): QuorateError {
  if (error.outcome !== 'not-applied') return error
  const message = `${error.message} An earlier attempt had no answer: the command may or may not be applied.`
  return new QuorateError(error.code, message, { outcome: 'unknown', leader: error.leader, cause: error })
}

/** The first attempt that got an answer: a session that is not known has carried out nothing of it. */
function sure(error: QuorateError): QuorateError {
  if (error.code !== 'SESSION_EXPIRED') return error
  return new QuorateError('SESSION_EXPIRED', error.message, { outcome: 'not-applied', cause: error })
}

function isForgotten(error: unknown): boolean {
  return error instanceof QuorateError && error.code === 'SESSION_EXPIRED' && error.outcome === 'not-applied'
}
