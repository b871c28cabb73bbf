// How long a group is without a leader: the leader is killed with SIGKILL under load, again and again; measured is the
// time from the kill to the next write that was accepted.

import { setTimeout as sleep } from 'node:timers/promises'
import { connectClient } from '../src/client.ts'
import { connectNats } from '../src/index.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'

export interface FailoverResult {
  readonly mode: 'failover'
  readonly kills: number
  readonly medianMs: number
  readonly minMs: number
  readonly maxMs: number
  readonly allMs: readonly number[]
}

const LOAD_CLIENTS = 16
const CALM_MS = 1000

export async function measureFailover(
  options: ClusterOptions & { readonly kills: number; readonly progress: (line: string) => void },
): Promise<FailoverResult> {
  const cluster = await Cluster.start(options)
  const transport = await connectNats({ id: 'bench-client', servers: cluster.nats.url })
  const client = connectClient({ transport, group: 'bench', timeoutMs: 10_000 })
  const allMs: number[] = []
  try {
    await cluster.leader()
    const load = new BackgroundLoad((command) => client.apply(command))
    for (let kill = 1; kill <= options.kills; kill++) {
      await sleep(CALM_MS)
      const { id, child } = await cluster.leader()
      const killedAt = performance.now()
      await child.kill()
      cluster.members.delete(id)
      allMs.push(Math.round((await load.acceptedAfter(killedAt)) - killedAt))
      options.progress(`kill ${kill} of ${options.kills}: ${allMs.at(-1)} ms`)
      await cluster.startMember(id)
    }
    load.stop()
  } finally {
    client.close()
    await transport.close()
    await cluster.stop()
  }
  const sorted = [...allMs].sort((a, b) => a - b)
  const medianMs = ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2
  return {
    mode: 'failover',
    kills: allMs.length,
    medianMs,
    minMs: sorted[0] ?? 0,
    maxMs: sorted.at(-1) ?? 0,
    allMs,
  }
}

/** Writers that never stop; whoever is refused or does not know tries again. */
export class BackgroundLoad {
  #stopped = false
  /** Called with the send time of each accepted write. */
  #watch: (sentAt: number, acceptedAt: number) => void = () => {}

  constructor(apply: (command: Uint8Array) => Promise<unknown>) {
    for (let i = 0; i < LOAD_CLIENTS; i++) void this.#write(apply)
  }

  /** Resolves with the time at which a write that was *sent* after `since` was accepted. */
  acceptedAfter(since: number): Promise<number> {
    return new Promise((resolve) => {
      this.#watch = (sentAt, acceptedAt) => {
        if (sentAt >= since) resolve(acceptedAt)
      }
    })
  }

  stop(): void {
    this.#stopped = true
  }

  async #write(apply: (command: Uint8Array) => Promise<unknown>): Promise<void> {
    const command = new Uint8Array(100)
    while (!this.#stopped) {
      const sentAt = performance.now()
      // Fresh probes matter: a write stuck behind a dead leader would tell the time-out, not the fail-over.
      const probe = Promise.race([
        apply(command).then(
          () => true,
          () => false,
        ),
        sleep(25, false),
      ])
      if (await probe) this.#watch(sentAt, performance.now())
    }
  }
}
