// `--peers`: etcd and JetStream, three processes each, beside Quorate with its load from a client process, in one run.

import { Child } from '../child.ts'
import type { Row } from '../protocol.ts'
import { medianOf } from '../rounds.ts'
import { measureThroughput, type ThroughputOptions } from '../throughput.ts'
import { startEtcd } from './etcd.ts'
import { type EtcdFound, lookForEtcd } from './find.ts'
import { startJetStream } from './jetstream.ts'
import type { Peer } from './peer.ts'

export interface PeersOptions extends Omit<ThroughputOptions, 'mode'> {
  readonly rounds: number
  readonly progress: (line: string) => void
}

type Contestant = 'remote' | 'etcd' | 'jetstream'

export interface PeerRow extends Pick<Row, 'clients' | 'size' | 'commitsPerSecond' | 'p50ms' | 'p99ms'> {
  readonly mode: Contestant
  /** Commits of Quorate for one of this, and its median latency in medians of this. */
  readonly remoteTimes: number
  readonly remoteP50Of: number
}

/** What is missing is said, and left out. */
export async function measurePeers(options: PeersOptions): Promise<readonly PeerRow[]> {
  const { clients, rounds, progress, directory } = options
  const etcd = lookForEtcd(directory)
  if (typeof etcd === 'string') progress(etcd)
  const contestants: Contestant[] = [
    'remote',
    ...(typeof etcd === 'string' ? [] : ['etcd' as const]),
    'jetstream',
  ]
  const rows = new Map<Contestant, Row[]>()
  for (let round = 1; round <= rounds; round++) {
    for (const mode of contestants) {
      progress(`${clients} clients, round ${round} of ${rounds}: ${mode} …`)
      rows.set(mode, [...(rows.get(mode) ?? []), await measureOne(mode, options, etcd)])
    }
  }
  return compared(new Map([...rows].map(([mode, all]) => [mode, medianOf(all)])))
}

export function compared(medians: ReadonlyMap<Contestant, Row>): readonly PeerRow[] {
  const remote = medians.get('remote')
  if (remote === undefined) return []
  return [...medians].map(([mode, { clients, size, commitsPerSecond, p50ms, p99ms }]) => ({
    ...{ mode, clients, size, commitsPerSecond, p50ms, p99ms },
    remoteTimes: rounded(remote.commitsPerSecond / commitsPerSecond),
    remoteP50Of: rounded(remote.p50ms / p50ms),
  }))
}

async function measureOne(mode: Contestant, options: PeersOptions, etcd: EtcdFound | string): Promise<Row> {
  if (mode === 'remote') return measureThroughput({ ...options, mode })
  if (mode === 'jetstream') {
    await using peer = await startJetStream(options.directory)
    return await loaded(mode, peer, [], options)
  }
  if (typeof etcd === 'string') throw new Error(etcd)
  await using peer = await startEtcd(etcd.binary, options.directory)
  return await loaded(mode, peer, [etcd.client], options)
}

async function loaded(
  mode: 'etcd' | 'jetstream',
  { address }: Peer,
  more: readonly string[],
  { clients, size, seconds }: PeersOptions,
): Promise<Row> {
  const client = await Child.start('./peers-client.js', [mode, address, ...more])
  try {
    const { result } = await client.ask('load', { kind: 'load', clients, size, seconds })
    return {
      ...{ mode, clients, size, members: 3, commitsPerSecond: Math.round(result.commits / result.seconds) },
      ...{ p50ms: rounded(result.p50ms), p99ms: rounded(result.p99ms) },
      ...{ loopP99ms: null, cpuSeconds: null, rssMb: null, shareOfPipe: null, p50OfPipe: null },
    }
  } finally {
    await client.kill()
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
