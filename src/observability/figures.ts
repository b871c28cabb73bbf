// What a host can say about itself at one moment: what status, health, metrics and `/raft_stat` are made from.

import type { FailureCount, RoleCount } from '../actors/node/counters.ts'
import type { ChangeStage } from '../rules/change.ts'
import type { LogIndex, PeerId } from '../rules/types.ts'
import type { HistogramFigures } from '../runtime/histogram.ts'
import type { NodeStatus } from '../status.ts'
import type { StorageFigures } from '../storage/storage.ts'
import type { DropCount } from './drop-log.ts'

/** One member of one group; what is counted is counted since it was started. */
export interface NodeFigures {
  readonly status: NodeStatus
  /** Where the configuration in force stands in the log, and how far a change has got. */
  readonly configurationIndex: LogIndex
  readonly changeStage: ChangeStage
  /** Milliseconds since a follower heard its leader; null: it has not, or follows nobody. */
  readonly leaderContactMs: number | null
  readonly electionTimeoutMs: number
  readonly snapshotIntervalMs: number
  readonly committedEntries: number
  /** Proposals of users of this member that were applied here. */
  readonly appliedProposals: number
  readonly failedProposals: readonly FailureCount[]
  readonly roles: readonly RoleCount[]
  readonly readRounds: number
  readonly readsInRounds: number
  /** From the append to the commit, and from the commit to the state machine: one entry at a time is followed. */
  readonly commitSeconds: HistogramFigures
  readonly applySeconds: HistogramFigures
  /** Entries that a leader appended at once. */
  readonly appendEntries: HistogramFigures
}

export interface HostFigures {
  readonly id: PeerId
  readonly nodes: readonly NodeFigures[]
  readonly drops: readonly DropCount[]
  readonly busConnected: boolean
  readonly busReconnects: number
  /** Null: the storage does not say. */
  readonly storage: StorageFigures | null
}

/** Whoever can be watched: a host. */
export interface Observed {
  figures(): HostFigures
}
