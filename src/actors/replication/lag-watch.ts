// A leader's word on followers that lag: said when it begins, and when it is over. Looked at with check-quorum, so that
// nothing is done for each entry.

import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import { type Logger, silentLogger } from '../../runtime/logger.ts'
import { LINE_INTERVAL_MS } from '../../runtime/rarely.ts'
import type { PeerProgress } from './peer-progress.ts'

/** As many as a member may have left to apply and count as ready. */
const MAX_LAG_ENTRIES = 10_000
const MAX_LAG_MS = 10_000
/** A leader looks once in an election timeout. */
const MAX_LAG_TIMEOUTS = 2
/** Who lags has caught up when this share of the bounds is left: one that is near them is not told of again and again. */
const CAUGHT_UP_SHARE = 1 / 4

export interface Lag {
  readonly entries: number
  /** Since it was in touch. */
  readonly silentMs: number
  /** What was committed this long ago is missing. */
  readonly behindMs: number
}

export type LagReason = 'SILENT' | 'ENTRIES' | 'TIME'

/** Why a follower lags; null: it does not. */
export function lagReason(lag: Lag, hasLagged: boolean, electionTimeoutMs: number): LagReason | null {
  const share = hasLagged ? CAUGHT_UP_SHARE : 1
  const maxMs = share * Math.max(MAX_LAG_MS, MAX_LAG_TIMEOUTS * electionTimeoutMs)
  if (lag.silentMs >= maxMs) return 'SILENT'
  if (lag.entries >= share * MAX_LAG_ENTRIES) return 'ENTRIES'
  return lag.behindMs >= maxMs ? 'TIME' : null
}

interface Trail {
  /** What was committed then is not known to be there. */
  markIndex: LogIndex
  markMs: number
  lags: boolean
  saidMs: number
}

export interface LagWorld {
  readonly group: string
  readonly term: Term
  readonly clock: Pick<Clock, 'nowMs'>
  readonly logger: Logger
  readonly log: { readonly lastIndex: LogIndex }
  readonly commitIndex: LogIndex
  readonly tuning: { readonly electionTimeoutMs: number }
}

export class LagWatch {
  readonly #trails = new Map<PeerId, Trail>()

  look(world: LagWorld, followers: ReadonlyMap<PeerId, { readonly progress: PeerProgress }>): void {
    if (world.logger === silentLogger) return
    for (const peer of this.#trails.keys()) if (!followers.has(peer)) this.#trails.delete(peer)
    const nowMs = world.clock.nowMs()
    // One that takes no commands lags because it is to.
    for (const { progress } of followers.values())
      if (!progress.isReadonly) this.#judge(world, progress, nowMs)
  }

  #judge(world: LagWorld, { peer, matchIndex, lastContactMs }: PeerProgress, nowMs: number): void {
    const { commitIndex, log, tuning } = world
    const trail = this.#trailOf(peer, commitIndex, nowMs)
    if (matchIndex >= trail.markIndex) {
      trail.markIndex = commitIndex
      trail.markMs = nowMs
    }
    const entries = log.lastIndex - matchIndex
    const lag = { entries, silentMs: nowMs - lastContactMs, behindMs: nowMs - trail.markMs }
    const reason = lagReason(lag, trail.lags, tuning.electionTimeoutMs)
    if (reason !== null && !trail.lags && nowMs - trail.saidMs >= LINE_INTERVAL_MS) {
      trail.lags = true
      trail.saidMs = nowMs
      sayLag(world, peer, reason, lag)
    }
    if (reason !== null || !trail.lags) return
    trail.lags = false
    const { group, term, logger } = world
    logger.info({ group, term, peer, entries }, `Follower ${peer} of ${group} has caught up.`)
  }

  #trailOf(peer: PeerId, markIndex: LogIndex, markMs: number): Trail {
    const known = this.#trails.get(peer)
    if (known !== undefined) return known
    const trail = { markIndex, markMs, lags: false, saidMs: Number.NEGATIVE_INFINITY }
    this.#trails.set(peer, trail)
    return trail
  }
}

function sayLag({ group, term, logger }: LagWorld, peer: PeerId, reason: LagReason, lag: Lag): void {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const words = {
    SILENT: `it has not answered for ${seconds(lag.silentMs)}`,
    ENTRIES: `it lacks ${lag.entries} entries`,
    TIME: `it lacks what was committed ${seconds(lag.behindMs)} ago`,
  }
  const fields = { group, term, peer, reason, entries: lag.entries }
  logger.warn(
    { silentMs: Math.round(lag.silentMs), behindMs: Math.round(lag.behindMs), ...fields },
    `Follower ${peer} of ${group} lags: ${words[reason]}.`,
  )
}
