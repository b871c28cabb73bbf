// Numbers over time, for the plots: one row each half second, ten minutes at most.

import type { MemberView } from './member-view.ts'
import { lagOf } from './ring.ts'

export interface Row {
  readonly atMs: number
  /** Null: nobody leads. */
  readonly commitsPerSecond: number | null
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** Bytes that the leader has appended and its disk has not. */
  readonly undurableBytes: number | null
  /** By member: the 99th percentile of its disk's writes with their sync, since it started. */
  readonly diskP99Ms: ReadonlyMap<string, number>
  /** By member, in entries. */
  readonly lag: ReadonlyMap<string, number>
}

export const ROW_MS = 500
const MAX_ROWS = 1200
/** A rate is taken over this long, so that it does not jump. */
const RATE_MS = 1500

export class Series {
  readonly #rows: Row[] = []
  readonly #commits: { readonly atMs: number; readonly commit: number }[] = []

  get rows(): readonly Row[] {
    return this.#rows
  }

  /** Returns whether a row was added. */
  add(views: readonly MemberView[], atMs: number): boolean {
    const last = this.#rows.at(-1)
    if (last !== undefined && atMs - last.atMs < ROW_MS) return false
    const leader = views.find(({ condition }) => condition === 'leader')
    const latency = leader?.status?.commitLatency ?? null
    this.#rows.push({
      atMs,
      commitsPerSecond: leader === undefined ? null : this.#rate(leader.indexes?.commit ?? 0, atMs),
      p50Ms: latency?.p50Ms ?? null,
      p99Ms: latency?.p99Ms ?? null,
      undurableBytes: leader?.status?.undurableBytes ?? null,
      diskP99Ms: new Map(
        views.flatMap(({ id, status }) =>
          status?.diskWrites == null ? [] : [[id, status.diskWrites.p99Ms] as const],
        ),
      ),
      lag: new Map(
        views.flatMap((view) => (view.indexes === null ? [] : [[view.id, lagOf(view.indexes, views)]])),
      ),
    })
    if (this.#rows.length > MAX_ROWS) this.#rows.shift()
    return true
  }

  #rate(commit: number, atMs: number): number {
    const seen = this.#commits
    seen.push({ atMs, commit })
    while (seen.length > 2 && (seen[1]?.atMs ?? atMs) <= atMs - RATE_MS) seen.shift()
    const first = seen[0]
    if (first === undefined || atMs <= first.atMs) return 0
    return Math.max(0, ((commit - first.commit) / (atMs - first.atMs)) * 1000)
  }
}
