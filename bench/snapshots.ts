// What snapshots cost, between three processes: installing a large one, with and without load beside it; starting again
// with one; and the size of the files under steady writes.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'
import { Cluster } from './cluster.ts'
import type { LoadResult } from './protocol.ts'

export interface SnapshotBenchOptions {
  readonly directory: string
  readonly execArgv: readonly string[]
  readonly bytes: number
  readonly clients: number
  readonly size: number
  readonly seconds: number
  readonly progress: (line: string) => void
}

/** Only when they are asked for. */
const BY_HAND = { snapshotIntervalMs: 0, snapshotEveryEntries: 0, snapshotEveryBytes: 0 }
const LOOK_EVERY_MS = 20
const MIB = 2 ** 20
const NO_LOAD: LoadResult = { commits: 0, seconds: 1, p50ms: 0, p99ms: 0, slowestPerSecond: 0 }
/** Behind the snapshot of the member that starts again. */
const ENTRIES_BEHIND = 10_000

export async function measureInstallation(options: SnapshotBenchOptions): Promise<readonly object[]> {
  const { bytes, clients, size, seconds, progress } = options
  const cluster = await Cluster.start({ ...options, tuning: BY_HAND, machine: `blob:${bytes}` })
  try {
    const leader = (await cluster.leader()).child
    progress(`${clients} clients, nobody behind …`)
    const before = (await leader.ask('load', { kind: 'load', clients, size, seconds })).result
    const away = await compactWithout(cluster, options)
    progress('installing, without load …')
    const { installed: idle } = await install(cluster, away, leader)
    progress('the same once more, beside the load …')
    await cluster.wipe(away)
    const { installed: loaded, during } = await install(cluster, away, leader, { clients, size })
    progress(`starting again with a snapshot of ${bytes} bytes and ${ENTRIES_BEHIND} entries …`)
    await leader.ask('filled', { kind: 'fill', clients: 256, size, commits: ENTRIES_BEHIND })
    const restartMs = await restart(cluster, away, leader)
    return [
      { mode: 'install', load: 0, ...idle },
      {
        ...{ mode: 'install', load: clients, ...loaded },
        ...{ p99msBefore: rounded(before.p99ms), p99ms: rounded(during.p99ms) },
        p99OfBefore: rounded(during.p99ms / before.p99ms),
        commitsOfBefore: rounded(during.commits / during.seconds / (before.commits / before.seconds)),
      },
      { mode: 'restart', snapshotBytes: bytes, entries: ENTRIES_BEHIND, restartMs: Math.round(restartMs) },
    ]
  } finally {
    await cluster.stop()
  }
}

/** One member loses its files, and the log of the others what it would need. */
async function compactWithout(cluster: Cluster, { size, progress }: SnapshotBenchOptions): Promise<string> {
  const leader = await cluster.leader()
  const away = [...cluster.members.keys()].find((id) => id !== leader.id) ?? ''
  await cluster.wipe(away)
  for (let round = 0; round < 2; round++) {
    await leader.child.ask('filled', { kind: 'fill', clients: 1, size, commits: 10 })
    for (const member of cluster.members.values()) {
      const { tookMs } = await member.ask('snapshot', { kind: 'snapshot' })
      progress(`a snapshot taken in ${Math.round(tookMs)} ms`)
    }
  }
  return away
}

/** The leader answers one question at a time: while it makes the load it is not asked. */
async function install(
  cluster: Cluster,
  away: string,
  leader: Child,
  load?: { readonly clients: number; readonly size: number },
) {
  const target = (await statusOf(leader)).appliedIndex
  await leader.ask('usage', { kind: 'usage' })
  const leaderMb = (await leader.ask('usage', { kind: 'usage' })).usage.rssMb
  const loading = load === undefined ? null : leader.ask('load', { kind: 'loadUntilTold', ...load })
  await cluster.startMember(away)
  const follower = cluster.member(away)
  const followerMb = (await follower.ask('usage', { kind: 'usage' })).usage.rssMb
  const from = await until(follower, ({ snapshot }) => snapshot.state !== 'idle' || snapshot.newest !== null)
  const fetched = await until(follower, ({ snapshot }) => snapshot.state !== 'downloading')
  const loaded = await until(follower, ({ appliedIndex }) => appliedIndex >= target)
  if (loading !== null) leader.tell({ kind: 'enough' })
  const during = (await loading)?.result ?? NO_LOAD
  const usedByLeader = (await leader.ask('usage', { kind: 'usage' })).usage
  const usedByFollower = (await follower.ask('usage', { kind: 'usage' })).usage
  const { newest } = (await statusOf(follower)).snapshot
  const fetchSeconds = (fetched - from) / 1000
  const msPerMb = (cpuSeconds: number): number =>
    rounded((cpuSeconds * 1e9) / Math.max(1, newest?.bytes ?? 0))
  const installed = {
    megabytesPerSecond: Math.round((newest?.bytes ?? 0) / fetchSeconds / 1e6),
    fetchSeconds: rounded(fetchSeconds),
    loadSeconds: rounded((loaded - fetched) / 1000),
    leaderGrewMb: Math.round(usedByLeader.peakRssMb - leaderMb),
    followerGrewMb: Math.round(usedByFollower.peakRssMb - followerMb),
    // Of all threads, for everything that was done meanwhile.
    leaderCpuMsPerMb: msPerMb(usedByLeader.cpuSeconds),
    followerCpuMsPerMb: msPerMb(usedByFollower.cpuSeconds),
    leaderLoopP99ms: rounded(usedByLeader.loopP99ms),
    followerLoopP99ms: rounded(usedByFollower.loopP99ms),
  }
  return { installed, during }
}

/** From the start of the process until it has applied what was committed then. */
async function restart(cluster: Cluster, id: string, leader: Child): Promise<number> {
  const target = (await statusOf(leader)).appliedIndex
  await until(cluster.member(id), ({ appliedIndex }) => appliedIndex >= target)
  await cluster.member(id).kill()
  const startedMs = performance.now()
  await cluster.startMember(id)
  return (await until(cluster.member(id), ({ appliedIndex }) => appliedIndex >= target)) - startedMs
}

/** Starting again after many writes, with snapshots as they are by default. */
export async function measureRestart(options: SnapshotBenchOptions, writes: number): Promise<object> {
  const { size, progress } = options
  const cluster = await Cluster.start({ ...options, machine: 'blob:0' })
  try {
    const leader = await cluster.leader()
    progress(`writing ${writes} entries …`)
    await leader.child.ask('filled', { kind: 'fill', clients: 1024, size, commits: writes })
    const other = [...cluster.members.keys()].find((id) => id !== leader.id) ?? ''
    const restartMs = Math.round(await restart(cluster, other, leader.child))
    const { snapshot, appliedIndex } = await statusOf(cluster.member(other))
    const replayed = appliedIndex - (snapshot.newest?.index ?? 0)
    return { mode: 'restart', writes, replayed, restartMs }
  } finally {
    await cluster.stop()
  }
}

/** Files under steady writes, with limits scaled down so that minutes show what days do. */
export async function measureGrowth(options: SnapshotBenchOptions, lengthSeconds: number): Promise<object> {
  const { clients, size, progress } = options
  const tuning = { snapshotEveryBytes: 4 * MIB, snapshotEveryEntries: 0, snapshotIntervalMs: 0 }
  const cluster = await Cluster.start({ ...options, tuning, machine: `blob:${MIB}` })
  try {
    const { id, child } = await cluster.leader()
    const loading = child.ask('load', { kind: 'loadUntilTold', clients, size })
    const series: number[] = []
    progress(`writing for ${lengthSeconds} s …`)
    for (let second = 0; second < lengthSeconds; second++) {
      await sleep(1000)
      series.push(sizeOf(cluster.directoryOf(id)) / MIB)
    }
    child.tell({ kind: 'enough' })
    const { commits } = (await loading).result
    progress(sparkline(series))
    const third = Math.floor(series.length / 3)
    return {
      ...{ mode: 'growth', seconds: lengthSeconds, commits, writtenMb: Math.round((commits * size) / MIB) },
      largestInFirstThirdMb: rounded(Math.max(...series.slice(0, third))),
      largestInLastThirdMb: rounded(Math.max(...series.slice(-third))),
      seriesMb: series.map((value) => Math.round(value * 10) / 10),
    }
  } finally {
    await cluster.stop()
  }
}

function sizeOf(dataDir: string): number {
  const names = ['quorate.db', 'quorate.db-wal', 'snapshots.db', 'snapshots.db-journal']
  return names.reduce(
    (sum, name) => sum + (statSync(join(dataDir, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

const BARS = '▁▂▃▄▅▆▇█'
const MOST_BARS = 80

function sparkline(series: readonly number[]): string {
  const largest = Math.max(...series)
  const every = Math.ceil(series.length / MOST_BARS)
  const bars = series
    .filter((_, at) => at % every === 0)
    .map((value) => BARS[Math.round((value / largest) * 7)] ?? '')
  return `${bars.join('')} up to ${largest.toFixed(1)} MB`
}

/** When it is so. */
async function until(
  child: Child,
  condition: (state: Awaited<ReturnType<typeof statusOf>>) => boolean,
): Promise<number> {
  while (!condition(await statusOf(child))) await sleep(LOOK_EVERY_MS)
  return performance.now()
}

async function statusOf(child: Child) {
  return (await child.ask('status', { kind: 'status' })).state
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
