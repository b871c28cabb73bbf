// The messages of `@statelyai/inspect` 0.7.2, the version that this speaks: one JSON object each, whose `type` and `_version`
// a receiver looks at. They are made here whole, because the package cuts definitions that are nested deeply.

import type { FeedStatus } from '../protocol/feed-protocol.ts'

export const STATELY_VERSION = '0.7.2'

interface Common {
  readonly sessionId: string
  /** The member that the actor belongs to. */
  readonly rootId: string
  /** Milliseconds, as text. */
  readonly createdAt: string
  readonly id: null
  readonly _version: typeof STATELY_VERSION
}

export interface StatelySnapshot {
  readonly status: 'active' | 'done' | 'stopped'
  readonly value?: unknown
  readonly context?: Readonly<Record<string, unknown>>
}

export interface StatelyEventObject {
  readonly type: string
  readonly [field: string]: unknown
}

export type StatelyMessage =
  | (Common & {
      readonly type: '@xstate.actor'
      readonly name: string
      readonly parentId?: string
      /** The configuration of the machine, as JSON. */
      readonly definition?: string
      readonly snapshot: StatelySnapshot
    })
  | (Common & {
      readonly type: '@xstate.event'
      readonly event: StatelyEventObject
      readonly sourceId?: string
    })
  | (Common & {
      readonly type: '@xstate.snapshot'
      readonly event: StatelyEventObject
      readonly snapshot: StatelySnapshot
    })

export function commonOf(sessionId: string, rootId: string, atMs: number): Common {
  return { sessionId, rootId, createdAt: String(Math.round(atMs)), id: null, _version: STATELY_VERSION }
}

/** `active.leader.serving` as XState has it: `{ active: { leader: 'serving' } }`. No chart of a member has parallel states. */
export function valueOfPath(path: string): unknown {
  const at = path.indexOf('.')
  return at < 0 ? path : { [path.slice(0, at)]: valueOfPath(path.slice(at + 1)) }
}

/** Several where states are parallel: `a.x` and `b.y` as `{ a: 'x', b: 'y' }`. */
export function valueOfPaths(paths: readonly string[]): unknown {
  const [only] = paths
  if (paths.length === 1 && only !== undefined) return valueOfPath(only)
  const heads = [...new Set(paths.map((path) => path.split('.', 1).join('')))]
  return Object.fromEntries(
    heads.map((head) => {
      const below = paths.flatMap((path) =>
        path.startsWith(`${head}.`) ? [path.slice(head.length + 1)] : [],
      )
      return [head, below.length === 0 ? {} : valueOfPaths(below)]
    }),
  )
}

/** What a person looks for beside the state of a member. */
export function contextOf(status: FeedStatus | null): Readonly<Record<string, unknown>> {
  if (status === null) return {}
  const {
    role,
    term,
    leader,
    votedFor,
    peers,
    firstIndex,
    lastIndex,
    durableIndex,
    commitIndex,
    appliedIndex,
  } = status
  return {
    ...{ role, term, leader, votedFor, peers },
    ...{ firstIndex, lastIndex, durableIndex, commitIndex, appliedIndex },
  }
}
