// The facade a user holds: promises around a node handle.

import type { AnyActorRef } from 'xstate'
import type { Applied, ApplyOptions, NodeEvents, RaftNode, ReadOptions } from './api.ts'
import { QuorateError } from './errors.ts'
import type { NodeHandle } from './node-handle.ts'
import type { PeerId } from './rules/types.ts'
import type { NodeStatus } from './status.ts'
import { encodeValue } from './transport/codec.ts'

/** Ends a node and forgets it; the host's part of closing. */
export type StopNode = (node: NodeHandle, done: () => void) => void

export class HandleNode implements RaftNode {
  readonly #handle: NodeHandle
  readonly #stop: StopNode
  readonly #abandon = new Set<(error: QuorateError) => void>()
  #closing: Promise<void> | null = null

  constructor(handle: NodeHandle, stop: StopNode) {
    this.#handle = handle
    this.#stop = stop
  }

  get group(): string {
    return this.#handle.core.group
  }

  get id(): PeerId {
    return this.#handle.core.id
  }

  get actor(): AnyActorRef {
    return this.#handle.actor
  }

  apply<Result = unknown>(command: unknown, options: ApplyOptions = {}): Promise<Applied<Result>> {
    const { signal, expectedTerm } = options
    return this.#asked<Applied<Result>>(signal, 'unknown', (resolve, reject) => {
      this.#handle.propose(encodeValue(command), expectedTerm, (outcome) => {
        if (!outcome.ok) reject(outcome.error)
        else resolve({ index: outcome.index, term: outcome.term, result: outcome.result as Result })
      })
    })
  }

  read<Answer = unknown>(query: unknown, options: ReadOptions = {}): Promise<Answer> {
    return this.#asked<Answer>(options.signal, 'not-applied', (resolve, reject) => {
      this.#handle.query(query, options.level ?? 'readIndex', (outcome) => {
        if (outcome.ok) resolve(outcome.answer as Answer)
        else reject(outcome.error)
      })
    })
  }

  status(): NodeStatus {
    return this.#handle.status()
  }

  on<E extends keyof NodeEvents>(event: E, handler: (payload: NodeEvents[E]) => void): () => void {
    return this.#handle.on(event, handler)
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain().then(() => new Promise((done) => this.#stop(this.#handle, done)))
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Stops at once; whoever waits learns that the outcome is unknown. */
  destroy(): void {
    this.#handle.destroy()
    const error = new QuorateError('SHUTDOWN', `Member ${this.id} of ${this.group} was stopped at once.`, {
      outcome: 'unknown',
    })
    for (const abandon of [...this.#abandon]) abandon(error)
  }

  /** What is pending may still commit, for a while. */
  #drain(): Promise<void> {
    const { core } = this.#handle
    this.#handle.refuseNewWork()
    return new Promise((resolve) => {
      const giveUpAtMs = core.clock.nowMs() + core.tuning.drainTimeoutMs
      const look = (): void => {
        const drained = this.#handle.pendingProposals === 0 || this.#handle.hasEnded || core.role === 'error'
        if (drained || core.clock.nowMs() >= giveUpAtMs) resolve()
        else core.clock.setTimeout(look, DRAIN_POLL_MS)
      }
      look()
    })
  }

  /** A promise that ends early when the signal says so, or when the node is destroyed. */
  #asked<T>(
    signal: AbortSignal | undefined,
    outcomeOnAbort: 'unknown' | 'not-applied',
    ask: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal, 'not-applied'))
      const onAbort = (): void => abandon(aborted(signal, outcomeOnAbort))
      const settled = (): void => {
        signal?.removeEventListener('abort', onAbort)
        this.#abandon.delete(abandon)
      }
      const abandon = (error: QuorateError): void => {
        settled()
        reject(error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#abandon.add(abandon)
      ask(
        (value) => {
          settled()
          resolve(value)
        },
        (error) => {
          settled()
          reject(error)
        },
      )
    })
  }
}

const DRAIN_POLL_MS = 5

function aborted(signal: AbortSignal | undefined, outcome: 'unknown' | 'not-applied'): QuorateError {
  const message =
    outcome === 'unknown'
      ? 'The caller stopped waiting; the command may or may not be applied.'
      : 'The caller gave up.'
  return new QuorateError('ABORTED', message, { outcome, cause: signal?.reason })
}
