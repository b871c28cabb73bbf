// Committed, fsynced writes per second: with load from the leader's process, from a remote client, or from one that puts
// values into the key-value machine.

import { Child } from './child.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import type { LoadResult, Row, Usage } from './protocol.ts'

export interface ThroughputOptions extends ClusterOptions {
  readonly mode: 'embedded' | 'remote' | 'kv'
  readonly clients: number
  readonly size: number
  readonly seconds: number
}

/** A fresh group for each line: no line inherits another's log. */
export async function measureThroughput(options: ThroughputOptions): Promise<Row> {
  const { mode, clients, size, seconds } = options
  const cluster = await Cluster.start({ ...options, machine: mode === 'kv' ? 'kv' : 'count' })
  const sources: Child[] = []
  try {
    const leader = (await cluster.leader()).child
    const source =
      mode === 'embedded' ? leader : await Child.start('./remote-client.js', [cluster.nats.url, mode])
    if (source !== leader) sources.push(source)
    await usageOf(cluster)
    const { result } = await source.ask('load', { kind: 'load', clients, size, seconds })
    const usage = await usageOf(cluster)
    return row(options, result, usage)
  } finally {
    await Promise.all(sources.map((source) => source.kill()))
    await cluster.stop()
  }
}

async function usageOf(cluster: Cluster): Promise<readonly Usage[]> {
  const members = [...cluster.members.values()]
  return Promise.all(members.map(async (child) => (await child.ask('usage', { kind: 'usage' })).usage))
}

function row(
  { mode, clients, size, members = 3 }: ThroughputOptions,
  result: LoadResult,
  usage: readonly Usage[],
): Row {
  return {
    mode,
    clients,
    size,
    members,
    commitsPerSecond: Math.round(result.commits / result.seconds),
    p50ms: round(result.p50ms),
    p99ms: round(result.p99ms),
    loopP99ms: round(Math.max(...usage.map((u) => u.loopP99ms))),
    cpuSeconds: round(usage.reduce((sum, u) => sum + u.cpuSeconds, 0)),
    rssMb: Math.round(Math.max(...usage.map((u) => u.rssMb))),
    shareOfPipe: null,
    p50OfPipe: null,
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
