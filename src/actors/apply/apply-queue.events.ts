// What the apply queue is asked to do (braft FSMCaller, its ApplyTask).

import type { QuorateError } from '../../errors.ts'
import type { Configuration, ConfigurationEntry, LogId, LogIndex, Term } from '../../rules/types.ts'
import type { LeaderChange } from '../../state-machine.ts'

/** A query for the state machine once `index` has been applied. */
export interface QueuedQuery {
  readonly index: LogIndex
  readonly query: unknown
  readonly done: (outcome: QueryOutcome) => void
}

export type QueryOutcome =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly error: QuorateError }

/** Where a state stands after work on it; with the configuration that a snapshot has brought. */
export interface LoadedPosition extends LogId {
  readonly configuration?: Configuration
}

/** Work on the whole state that must not overlap with applying: saving it, replacing it, or looking at all of it. */
export interface ExclusiveTask {
  /** Called with the position that the state has reached. Returns the position it has afterwards. */
  readonly run: (
    applied: LogId,
    configuration: ConfigurationEntry | null,
  ) => LoadedPosition | Promise<LoadedPosition>
  readonly done: (error: Error | null) => void
}

/** Is this what such a task has to return? */
export function isPosition(value: unknown): value is LoadedPosition {
  return typeof value === 'object' && value !== null && 'index' in value && 'term' in value
}

export type ApplyQueueEvent =
  | { readonly type: 'committed'; readonly index: LogIndex }
  | { readonly type: 'query'; readonly query: QueuedQuery }
  | { readonly type: 'snapshotSave'; readonly task: ExclusiveTask }
  | { readonly type: 'snapshotLoad'; readonly task: ExclusiveTask }
  | { readonly type: 'stateHash'; readonly task: ExclusiveTask }
  | { readonly type: 'leaderStart'; readonly term: Term }
  | { readonly type: 'leaderStop'; readonly reason: string }
  | { readonly type: 'startFollowing'; readonly change: LeaderChange }
  | { readonly type: 'stopFollowing'; readonly change: LeaderChange }
  | { readonly type: 'nodeFailed'; readonly error: Error }
  | { readonly type: 'stop' }
  | { readonly type: 'resumed' }
