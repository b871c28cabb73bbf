// What watching costs: the same load in the leader's process, unwatched, watched by as many viewers as asked for, and unwatched
// again, in turns within one group, so that a slow minute of the machine is everybody's.

import { watchGroup } from '../src/client.ts'
import { connectNats } from '../src/index.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import type { LoadResult } from './protocol.ts'

export interface WatchedOptions extends ClusterOptions {
  readonly clients: number
  readonly size: number
  readonly seconds: number
  readonly rounds: number
  readonly viewers: number
  readonly progress: (line: string) => void
}

export interface WatchedResult {
  readonly mode: 'unwatched' | 'watched' | 'unwatched after'
  readonly clients: number
  readonly size: number
  readonly viewers: number
  readonly commitsPerSecond: number
  readonly p50ms: number
  readonly p99ms: number
  /** Of the round's unwatched rate, the median of all rounds. */
  readonly shareOfUnwatched: number
}

const MODES = ['unwatched', 'watched', 'unwatched after'] as const

export async function measureWatched(options: WatchedOptions): Promise<readonly WatchedResult[]> {
  const { clients, size, seconds, rounds, progress } = options
  const cluster = await Cluster.start(options)
  try {
    const { child } = await cluster.leader()
    const load = async (): Promise<LoadResult> =>
      (await child.ask('load', { kind: 'load', clients, size, seconds })).result
    await load()
    const measured: LoadResult[][] = []
    for (let round = 1; round <= rounds; round++) {
      progress(`${clients} clients, round ${round} of ${rounds}: unwatched, watched, unwatched …`)
      const before = await load()
      const leave = await watch(cluster, options)
      const watched = await load()
      await leave()
      measured.push([before, watched, await load()])
    }
    return MODES.map((mode, at) => row(mode, at, measured, options))
  } finally {
    await cluster.stop()
  }
}

/** Returns when all viewers see all members; then what takes leave. */
async function watch(cluster: Cluster, { viewers }: WatchedOptions): Promise<() => Promise<void>> {
  const transports = await Promise.all(
    Array.from({ length: viewers }, (_, i) => connectNats({ servers: cluster.nats.url, id: `viewer${i}` })),
  )
  const watches = transports.map((transport) => watchGroup({ transport, group: 'bench' }))
  await Promise.all(watches.map(({ ready }) => ready()))
  return async () => {
    for (const { close } of watches) close()
    await Promise.all(transports.map((transport) => transport.close()))
  }
}

function row(
  mode: WatchedResult['mode'],
  at: number,
  measured: readonly (readonly LoadResult[])[],
  { clients, size, viewers }: WatchedOptions,
): WatchedResult {
  const of = (value: (result: LoadResult, before: LoadResult) => number): number =>
    medianOf(
      measured.flatMap((round) => {
        const [result, before] = [round[at], round[0]]
        return result === undefined || before === undefined ? [] : [value(result, before)]
      }),
    )
  const rate = ({ commits, seconds }: LoadResult): number => commits / seconds
  return {
    ...{ mode, clients, size, viewers: mode === 'watched' ? viewers : 0 },
    commitsPerSecond: Math.round(of(rate)),
    p50ms: rounded(of(({ p50ms }) => p50ms)),
    p99ms: rounded(of(({ p99ms }) => p99ms)),
    shareOfUnwatched: rounded(of((result, before) => rate(result) / rate(before))),
  }
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
