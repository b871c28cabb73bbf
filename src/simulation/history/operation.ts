// One operation of a client: what it asked, when, and what it was told.

import type { KvCommand, KvResult } from './kv-model.ts'

/** `failed` only where the library says for certain that the command never takes effect. */
export type ClientOutcome = 'ok' | 'failed' | 'unknown'

export interface Operation {
  readonly id: number
  readonly client: string
  readonly command: KvCommand
  /** Place in the run of the invocation and of the completion: a total order, also within one instant. */
  readonly invokedAt: number
  /** Infinity while it is under way, and for unknown outcomes: it may take effect at any time, or never. */
  readonly completedAt: number
  readonly outcome: ClientOutcome
  /** What the client was told; only for `ok`. */
  readonly result: KvResult
  readonly invokedAtMs: number
  readonly completedAtMs: number | null
}

/** A write's index in the canonical log; for a read, the index that was applied when it was answered. By operation id. */
export type Positions = ReadonlyMap<number, number>
