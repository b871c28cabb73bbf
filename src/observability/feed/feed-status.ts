// A member's numbers as the feed tells them: picked one by one, times as times of the day.

import type { NodeCore } from '../../actors/node/node.core.ts'
import type { FeedStatus } from '../../protocol/feed-protocol.ts'
import { leaderPresumedAliveMs } from '../../rules/lease.ts'
import type { NodeStatus, ReplicatorStatus } from '../../status.ts'
import type { ActorBook } from './actor-book.ts'
import type { CommitSampler } from './commit-sampler.ts'

/** The status, without what only the user's machine could say, or what takes a look at files. */
export type CoreStatus = Omit<NodeStatus, 'stateHash' | 'carries' | 'disk' | 'wallClockMs'>

const MAX_ERROR_LENGTH = 1000

export interface StatusSources {
  readonly core: NodeCore
  readonly numbers: CoreStatus
  readonly book: ActorBook
  readonly commitLatency: ReturnType<CommitSampler['take']>
  /** The time of the day that its times are told in. Default: the member's own. */
  readonly wallMs?: number
}

export function feedStatus({ core, numbers, book, commitLatency, ...told }: StatusSources): FeedStatus {
  const { role, term, leader, votedFor, membership, peers, oldPeers, learners, witnesses } = numbers
  const { firstIndex, lastIndex, durableIndex, commitIndex, appliedIndex } = numbers
  const { pendingProposals, pendingBytes, undurableBytes, leaseValid, change, snapshot, error } = numbers
  const [nowMs, wallMs] = [core.clock.nowMs(), told.wallMs ?? core.clock.wallMs()]
  const aliveMs = leaderPresumedAliveMs(core.following.lease, core.leaseTerms, nowMs)
  return {
    ...{ role, term, leader, votedFor, membership, peers, oldPeers, learners, witnesses },
    ...{ firstIndex, lastIndex, durableIndex, commitIndex, appliedIndex },
    ...{ pendingProposals, pendingBytes, undurableBytes, leaseValid, commitLatency },
    diskWrites: diskWritesOf(core),
    leaderAliveUntilMs: core.office === null && aliveMs > 0 ? Math.round(wallMs + aliveMs) : null,
    electionTimeoutMs: core.tuning.electionTimeoutMs,
    timers: timersOf(book, wallMs - nowMs),
    replicators: numbers.replicators.map((each) => replicatorOf(each, wallMs)),
    change: change && { stage: change.stage, adding: change.adding.map(({ peer }) => peer) },
    snapshot: {
      index: snapshot.newest?.index ?? 0,
      ...{ state: snapshot.state, doneBytes: snapshot.doneBytes, totalBytes: snapshot.totalBytes },
    },
    error: error === null ? null : error.slice(0, MAX_ERROR_LENGTH).toWellFormed(),
  }
}

function diskWritesOf({ input }: NodeCore): FeedStatus['diskWrites'] {
  const { p50Ms, p99Ms } = input.storage.diskStatus?.().writes ?? {}
  return p50Ms === undefined || p99Ms === undefined ? null : { p50Ms, p99Ms }
}

function replicatorOf(
  { peer, state, nextIndex, matchIndex, inFlightEntries, lastContactMs, installing }: ReplicatorStatus,
  wallMs: number,
): FeedStatus['replicators'][number] {
  return {
    ...{ peer, state, nextIndex, matchIndex, inFlightEntries },
    lastContactAtMs: lastContactMs === null ? null : Math.round(wallMs - lastContactMs),
    installing: installing && { doneBytes: installing.doneBytes, totalBytes: installing.totalBytes },
  }
}

/** Armed timers, by what their actors keep. */
function timersOf(book: ActorBook, wallOffsetMs: number): FeedStatus['timers'] {
  return [...book].flatMap(({ ref, chart }) => {
    const armed = chart === 'timer' ? armedOf(ref.getSnapshot()) : null
    if (armed === null) return []
    const { name, delayMs, dueMs } = armed
    return [{ name, delayMs: Math.round(delayMs), dueAtMs: Math.round(dueMs + wallOffsetMs) }]
  })
}

function armedOf(snapshot: object): { name: string; delayMs: number; dueMs: number } | null {
  const context = 'context' in snapshot ? snapshot.context : null
  if (typeof context !== 'object' || context === null) return null
  if (!('name' in context && 'delayMs' in context && 'dueMs' in context)) return null
  const { name, delayMs, dueMs } = context
  return typeof name === 'string' && typeof delayMs === 'number' && typeof dueMs === 'number'
    ? { name, delayMs, dueMs }
    : null
}
