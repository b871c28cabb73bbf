// What clients did and saw, on one line of virtual time.

import type { KvCommand, KvResult } from './kv-model.ts'
import type { ClientOutcome, Operation, Positions } from './operation.ts'

export class History {
  readonly #operations: Operation[] = []
  readonly #nowMs: () => number
  /** By call, the operation it was made for. */
  readonly #calls = new Map<number, number>()
  readonly #positions = new Map<number, number>()
  #place = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get operations(): readonly Operation[] {
    return this.#operations
  }

  /** Where in the log operations took effect, as far as it is known. */
  get positions(): Positions {
    return this.#positions
  }

  /** Proposes operation `id` under the number `call`. A later call means that earlier ones certainly came to nothing. */
  proposed(id: number, call: number): void {
    this.#calls.set(call, id)
  }

  /** The entry of a call is committed at `index`. */
  committed(call: number, index: number): void {
    const id = this.#calls.get(call)
    if (id !== undefined && !this.#positions.has(id)) this.#positions.set(id, index)
  }

  /** A read was answered by who had applied everything up to `index`. */
  answered(id: number, index: number): void {
    this.#positions.set(id, index)
  }

  /** @returns the id to complete it with. Until then its outcome is unknown. */
  invoke(client: string, command: KvCommand): number {
    const id = this.#operations.length
    this.#operations.push({
      id,
      client,
      command,
      invokedAt: this.#place++,
      completedAt: Number.POSITIVE_INFINITY,
      outcome: 'unknown',
      result: null,
      invokedAtMs: this.#nowMs(),
      completedAtMs: null,
    })
    return id
  }

  complete(id: number, outcome: ClientOutcome, result: KvResult = null): void {
    const operation = this.#operations[id]
    if (operation === undefined) throw new RangeError(`No operation ${id} was invoked.`)
    if (operation.completedAtMs !== null) throw new Error(`Operation ${id} completed twice.`)
    this.#operations[id] = {
      ...operation,
      outcome,
      result,
      completedAt: outcome === 'unknown' ? Number.POSITIVE_INFINITY : this.#place++,
      completedAtMs: this.#nowMs(),
    }
  }
}

export type { ClientOutcome, Operation } from './operation.ts'
