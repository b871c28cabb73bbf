// The last act of the demo: a member loses its files, and gets the state from the others though their logs do not reach
// back far enough any more.

import type { RaftNode } from '../../api.ts'
import type { QuorateClient } from '../../client.ts'
import { isQuorateError } from '../../errors.ts'
import { formatSize } from '../units.ts'
import type { Cluster } from './cluster.ts'
import type { Screen } from './screen.ts'
import { until } from './wait.ts'

/** Something to be seen on its way: the writes before are small. */
const BALLAST_VALUES = 64
const BALLAST_LENGTH = 250_000
const BALLAST = Array.from({ length: BALLAST_LENGTH }, (_, at) =>
  String.fromCharCode(97 + ((at * 7) % 26)),
).join('')

export interface WipeOptions {
  readonly cluster: Cluster
  readonly screen: Screen
  readonly client: QuorateClient
  /** Sets the keys of this run apart. */
  readonly run: string
}

export interface Installation {
  readonly installedBytes: number
  /** From opening the empty directory until it had applied what was committed then. */
  readonly installMs: number
}

export async function wipeAndInstall(options: WipeOptions): Promise<Installation> {
  const { cluster, screen } = options
  await addBallast(options)
  const follower = cluster.nodes.find((node) => node !== cluster.leader)
  if (follower === undefined) return { installedBytes: 0, installMs: 0 }
  const { id } = follower
  await cluster.wipe(id)
  screen.step(`Killed ${id} and removed its files. The others save their state, and drop the log before it.`)
  await compact(options)
  await until(() => cluster.leader !== undefined, 'no leader was elected')

  const target = Math.max(...cluster.nodes.map((node) => node.status().commitIndex))
  const startedMs = performance.now()
  const node = await cluster.start(id)
  await install(node, target, screen)
  const installMs = performance.now() - startedMs
  const installedBytes = node.status().snapshot.newest?.bytes ?? 0
  screen.step(
    `${id} got a snapshot of ${formatSize(installedBytes)} and has caught up to index ${target} after ${Math.round(installMs)} ms.`,
  )
  await until(() => counts(cluster, id), `${id} was not taken in again`)
  screen.step(`Its new files are confirmed by the others: ${id} counts again.`)
  return { installedBytes, installMs }
}

async function addBallast({ client, run, screen }: WipeOptions): Promise<void> {
  screen.step(`Writing ${formatSize(BALLAST_VALUES * BALLAST_LENGTH)} more.`)
  const put = (at: number): Promise<unknown> =>
    withRetries(() => client.apply(['put', `${run}/ballast-${at}`, `${at}${BALLAST}`]))
  for (let at = 0; at < BALLAST_VALUES; at += 8)
    await Promise.all(Array.from({ length: 8 }, (_, more) => put(at + more)))
}

/** Twice: the log since the snapshot before the newest stays, for those who are only a little behind. */
async function compact({ cluster, client, run }: WipeOptions): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await withRetries(() => client.apply(['put', `${run}/round`, String(round)]))
    for (const node of cluster.nodes) await withRetries(() => node.snapshot())
  }
  await until(() => cluster.nodes.every((node) => node.status().firstIndex > 1), 'the log was not compacted')
}

/** What is not sure to be applied is done again: all of it may be done twice. */
async function withRetries<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (!isQuorateError(error) || !error.retryableIfIdempotent || left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** Until the node has applied what was committed when it came back. */
async function install(node: RaftNode, target: number, screen: Screen): Promise<void> {
  let isShown = false
  await until(() => {
    const { appliedIndex, snapshot } = node.status()
    if (snapshot.state === 'downloading' && snapshot.totalBytes > 0) {
      if (!isShown) screen.startProgress(snapshot.totalBytes, 'installed', formatSize)
      isShown = true
      screen.progress(snapshot.doneBytes)
    }
    return appliedIndex >= target
  }, `${node.id} did not catch up`)
  screen.endProgress()
}

/** The files that it has now; the leader may still remember the others. */
function counts(cluster: Cluster, id: string): boolean {
  const { identity } = cluster.node(id).status()
  const seen = cluster.leader?.status().replicators.find(({ peer }) => peer === id)
  return seen?.counts === true && seen.identity === identity
}
