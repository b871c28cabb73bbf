// What a returning member costs the others: one is away while entries are written as fast as it goes, it comes back, and
// while it catches up clients go on at a steady rate. Measured are how fast it catches up, those clients' commits beside
// the same ones just before, and what memory and event loop of each process say.

import { statfsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import type { LoadResult, Usage } from './protocol.ts'

export interface BacklogOptions extends ClusterOptions {
  /** Written while one member is away. */
  readonly entries: number
  readonly size: number
  /** Commands a second of the clients that go on. */
  readonly rate: number
  /** Length of the measurement before. */
  readonly seconds: number
  readonly progress: (line: string) => void
}

export interface BacklogResult {
  readonly mode: 'backlog'
  readonly size: number
  readonly entries: number
  readonly seconds: number
  readonly entriesPerSecond: number
  readonly megabytesPerSecond: number
  readonly rate: number
  /** With everybody there. */
  readonly p99msAll: number
  /** With one away, whose answer is not needed; then while it catches up. */
  readonly p50msBefore: number
  readonly p99msBefore: number
  readonly p50ms: number
  readonly p99ms: number
  readonly p99OfBefore: number
  /** The most memory while it catches up beside that before. */
  readonly leaderGrewMb: number
  readonly otherGrewMb: number
  readonly followerGrewMb: number
  readonly leaderLoopP99ms: number
  readonly otherLoopP99ms: number
  readonly followerLoopP99ms: number
  /** Of all threads, clients included, for one entry of the backlog. */
  readonly leaderCpuUs: number
  readonly followerCpuUs: number
}

const FILL_CLIENTS = 1024
/** Under way at once while the backlog is written, so that large entries do not fill the leader's memory. */
const FILL_BYTES = 8 * 1024 * 1024
const WARM_UP_ENTRIES = 50_000
const LOOK_EVERY_MS = 50
const TELL_EVERY = 500_000
/** Three members, and what a row and the write-ahead log take beside it. */
const ROOM_PER_BYTE = 3 * 1.3
const ROW_BYTES = 40

export async function measureBacklog(options: BacklogOptions): Promise<BacklogResult> {
  const { entries, size, rate, seconds, progress, directory } = options
  requireRoom(directory, entries * (size + ROW_BYTES) * ROOM_PER_BYTE)
  const cluster = await Cluster.start(options)
  try {
    const leader = await cluster.leader()
    const steady = { kind: 'steady', rate, size, seconds } as const
    await fill(leader.child, Math.min(Math.ceil(entries / 20), WARM_UP_ENTRIES), size)
    progress(`${rate} commands a second, nobody behind …`)
    const all = (await leader.child.ask('load', steady)).result
    const [away = '', other = ''] = [...cluster.members.keys()].filter((id) => id !== leader.id)
    await cluster.member(away).kill()
    progress(`${away} is away: writing ${entries} entries of ${size} bytes …`)
    for (let left = entries; left > 0; left -= TELL_EVERY) {
      await fill(leader.child, Math.min(left, TELL_EVERY), size)
      if (left > TELL_EVERY) progress(`${left - TELL_EVERY} left …`)
    }
    const before = (await leader.child.ask('load', steady)).result
    const others = [leader.child, cluster.member(other)] as const
    const memory = await Promise.all(others.map(usageOf))
    progress(`${away} is back …`)
    const target = await appliedBy(leader.child)
    await cluster.startMember(away)
    const member = cluster.member(away)
    const memories = [...memory, await usageOf(member)]
    const { during, ...pace } = await underLoad(leader.child, member, target, options)
    const used = await Promise.all([...others, member].map(usageOf))
    return row(options, { all, before, during }, pace, memories, used)
  } finally {
    await cluster.stop()
  }
}

async function fill(leader: Child, commits: number, size: number): Promise<void> {
  const clients = Math.max(16, Math.min(FILL_CLIENTS, Math.floor(FILL_BYTES / size)))
  await leader.ask('filled', { kind: 'fill', clients, size, commits })
}

interface Pace {
  readonly entries: number
  readonly seconds: number
}

/** Steady load for the leader until `member` has applied up to `target`. */
async function underLoad(
  leader: Child,
  member: Child,
  target: number,
  { rate, size, progress }: BacklogOptions,
): Promise<Pace & { readonly during: LoadResult }> {
  const loaded = leader.ask('load', { kind: 'steady', rate, size })
  const from = await appliedBy(member)
  const start = performance.now()
  let toldMs = start
  for (let applied = from; applied < target; ) {
    await sleep(LOOK_EVERY_MS)
    applied = await appliedBy(member)
    if (performance.now() - toldMs < 5000) continue
    toldMs = performance.now()
    progress(`${Math.max(0, target - applied)} left …`)
  }
  const seconds = (performance.now() - start) / 1000
  leader.tell({ kind: 'enough' })
  return { entries: target - from, seconds, during: (await loaded).result }
}

async function appliedBy(child: Child): Promise<number> {
  return (await child.ask('status', { kind: 'status' })).state.appliedIndex
}

async function usageOf(child: Child): Promise<Usage> {
  return (await child.ask('usage', { kind: 'usage' })).usage
}

function row(
  { size, rate }: BacklogOptions,
  { all, before, during }: Readonly<Record<'all' | 'before' | 'during', LoadResult>>,
  { entries, seconds }: Pace,
  memories: readonly Usage[],
  used: readonly Usage[],
): BacklogResult {
  const [leader, other, follower] = used.map((usage, at) => ({
    grewMb: Math.round(usage.peakRssMb - (memories[at]?.rssMb ?? 0)),
    loopP99ms: rounded(usage.loopP99ms),
    cpuUs: rounded((usage.cpuSeconds * 1e6) / entries),
  }))
  return {
    ...{ mode: 'backlog', size, entries, seconds: rounded(seconds) },
    entriesPerSecond: Math.round(entries / seconds),
    megabytesPerSecond: rounded((entries * size) / seconds / 1e6),
    ...{ rate, p99msAll: rounded(all.p99ms) },
    ...{ p50msBefore: rounded(before.p50ms), p99msBefore: rounded(before.p99ms) },
    ...{ p50ms: rounded(during.p50ms), p99ms: rounded(during.p99ms) },
    p99OfBefore: rounded(during.p99ms / before.p99ms),
    leaderGrewMb: leader?.grewMb ?? 0,
    otherGrewMb: other?.grewMb ?? 0,
    followerGrewMb: follower?.grewMb ?? 0,
    leaderLoopP99ms: leader?.loopP99ms ?? 0,
    otherLoopP99ms: other?.loopP99ms ?? 0,
    followerLoopP99ms: follower?.loopP99ms ?? 0,
    leaderCpuUs: leader?.cpuUs ?? 0,
    followerCpuUs: follower?.cpuUs ?? 0,
  }
}

/** @throws Error before anything is written that the disk has no room for. */
function requireRoom(directory: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize >= bytes) return
  const [needed, free] = [bytes, bavail * bsize].map((each) => `${Math.ceil(each / 2 ** 20)} MiB`)
  throw new Error(
    `This backlog takes ${needed} of disk in ${directory}, where ${free} are free: write fewer entries, or name another directory with --dir.`,
  )
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
