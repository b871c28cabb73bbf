// What a returning member costs the others: one is killed, the group writes on without it, it comes back, and while it
// catches up the usual load goes on. Measured are that load beside the same one before, and how fast it catches up.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import type { LoadResult } from './protocol.ts'

export interface CatchUpOptions extends ClusterOptions {
  /** Written while one member is away. */
  readonly entries: number
  readonly clients: number
  readonly size: number
  /** Length of the measurement before. */
  readonly seconds: number
  readonly progress: (line: string) => void
}

export interface CatchUpResult {
  readonly mode: 'catch-up'
  readonly clients: number
  readonly size: number
  readonly entries: number
  readonly seconds: number
  readonly entriesPerSecond: number
  readonly commitsPerSecondBefore: number
  readonly commitsPerSecond: number
  readonly slowestQuarterSecond: number
  readonly shareOfBefore: number
  readonly p99msBefore: number
  readonly p99ms: number
  readonly p99OfBefore: number
}

const FILL_CLIENTS = 1024
const LOOK_EVERY_MS = 50

export async function measureCatchUp(options: CatchUpOptions): Promise<CatchUpResult> {
  const { entries, clients, size, seconds, progress } = options
  const cluster = await Cluster.start(options)
  try {
    const leader = await cluster.leader()
    progress(`${clients} clients, nobody behind …`)
    const before = (await leader.child.ask('load', { kind: 'load', clients, size, seconds })).result
    const away = [...cluster.members.keys()].find((id) => id !== leader.id) ?? ''
    await cluster.members.get(away)?.kill()
    progress(`${away} is away: writing ${entries} entries …`)
    await leader.child.ask('load', { kind: 'fill', clients: FILL_CLIENTS, size, commits: entries })
    progress(`${away} is back …`)
    await cluster.startMember(away)
    const { during, ...pace } = await underLoad(leader.child, cluster.member(away), clients, size)
    return row(options, before, during, pace)
  } finally {
    await cluster.stop()
  }
}

interface Pace {
  readonly entries: number
  readonly seconds: number
}

/** Loads the leader until `member` has applied what was committed before it came back. */
async function underLoad(
  leader: Child,
  member: Child,
  clients: number,
  size: number,
): Promise<Pace & { readonly during: LoadResult }> {
  const target = await appliedBy(leader)
  const from = await appliedBy(member)
  const loaded = leader.ask('load', { kind: 'loadUntilTold', clients, size })
  const start = performance.now()
  let lookedAt = start
  for (let applied = from; applied < target; lookedAt = performance.now()) {
    await sleep(LOOK_EVERY_MS)
    applied = await appliedBy(member)
  }
  leader.tell({ kind: 'enough' })
  const during = (await loaded).result
  return { entries: target - from, seconds: (lookedAt - start) / 1000, during }
}

async function appliedBy(child: Child): Promise<number> {
  return (await child.ask('status', { kind: 'status' })).state.appliedIndex
}

function row(
  { clients, size }: CatchUpOptions,
  before: LoadResult,
  during: LoadResult,
  { entries, seconds }: Pace,
): CatchUpResult {
  const [rateBefore, rate] = [before.commits / before.seconds, during.commits / during.seconds]
  return {
    mode: 'catch-up',
    clients,
    size,
    entries,
    seconds: rounded(seconds),
    entriesPerSecond: Math.round(entries / seconds),
    commitsPerSecondBefore: Math.round(rateBefore),
    commitsPerSecond: Math.round(rate),
    slowestQuarterSecond: Math.round(during.slowestPerSecond),
    shareOfBefore: rounded(rate / rateBefore),
    p99msBefore: rounded(before.p99ms),
    p99ms: rounded(during.p99ms),
    p99OfBefore: rounded(during.p99ms / before.p99ms),
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
