// The story of the demo, act by act: elect, write, kill the leader, go on, bring it back, wipe a member, check.

import { randomBytes } from 'node:crypto'
import type { RaftNode } from '../../api.ts'
import { type ClientSession, connectClient } from '../../client.ts'
import type { Transport } from '../../transport/transport.ts'
import { CliError, ExitCode } from '../exit.ts'
import type { Cluster } from './cluster.ts'
import type { DemoFlags } from './flags.ts'
import { type DemoReport, percentile, problemsOf } from './report.ts'
import type { Screen } from './screen.ts'
import { verify } from './verify.ts'
import { PATIENCE_MS, until } from './wait.ts'
import { type Installation, wipeAndInstall } from './wipe.ts'
import { runWorkload, type WorkloadResult } from './workload.ts'

/** When the leader is killed and when it comes back, as shares of the writes. */
const KILL_AT = 0.4
const REOPEN_AT = 0.7
/** Long enough for an election: a write of a session is sent again until there is an answer. */
const CLIENT_TIMEOUT_MS = 10_000

export interface StoryOptions {
  readonly flags: DemoFlags
  readonly ids: readonly string[]
  readonly cluster: Cluster
  readonly screen: Screen
  readonly connect: (name: string) => Promise<Transport>
}

interface Outage {
  readonly id: string
  readonly leaderlessMs: number
}

interface Times extends Installation {
  /** With a leader. */
  readonly activeMs: number
  readonly leaderlessMs: number
  readonly recoveryMs: number
}

export class Story {
  readonly #options: StoryOptions
  /** Sets the keys of this run apart from those of earlier ones in the same files. */
  readonly #run = `run-${randomBytes(4).toString('hex')}`
  #acknowledged = 0
  #loadEnded = false
  #newestAckMs = 0
  /** The longest time between two acknowledged writes: the outage as clients saw it. */
  #stalledMs = 0

  constructor(options: StoryOptions) {
    this.#options = options
  }

  async play(): Promise<DemoReport> {
    const { flags, screen, connect } = this.#options
    await this.#elect()
    const { group, clients, writes } = flags
    screen.step(`${clients} clients write ${writes} entries.`)
    screen.startProgress(writes, 'writes')
    const client = connectClient({ transport: await connect('app'), group, timeoutMs: CLIENT_TIMEOUT_MS })
    try {
      const startedMs = performance.now()
      const load = this.#startLoad(await client.session())
      const outage = await this.#killLeader()
      const recoveryMs = await this.#reopen(outage.id)
      await this.#whileAdvancing(() => this.#loadEnded)
      const workload = await load
      const activeMs = performance.now() - startedMs - this.#stalledMs
      screen.endProgress()
      const { cluster } = this.#options
      const installation = await wipeAndInstall({ cluster, screen, client, run: this.#run })
      return await this.#check(workload, {
        activeMs,
        leaderlessMs: outage.leaderlessMs,
        recoveryMs,
        ...installation,
      })
    } finally {
      client.close()
    }
  }

  async #elect(): Promise<void> {
    const { ids, cluster, screen, flags } = this.#options
    screen.step(`Starting ${ids.length} members on ${flags.nats ?? 'the bus of this process'}.`)
    await Promise.all(ids.map((id) => cluster.start(id)))
    await until(() => cluster.leader !== undefined, 'no leader was elected')
  }

  #startLoad(client: ClientSession): Promise<WorkloadResult> {
    const { flags, screen } = this.#options
    this.#newestAckMs = performance.now()
    const load = runWorkload({
      ...{ client, clients: flags.clients, writes: flags.writes, run: this.#run },
      nowMs: () => performance.now(),
      onAcknowledged: (count) => {
        const nowMs = performance.now()
        this.#stalledMs = Math.max(this.#stalledMs, nowMs - this.#newestAckMs)
        this.#newestAckMs = nowMs
        this.#acknowledged = count
        screen.progress(count)
      },
    })
    const ended = (): void => {
      this.#loadEnded = true
    }
    load.then(ended, ended)
    return load
  }

  async #killLeader(): Promise<Outage> {
    const { cluster, screen } = this.#options
    await this.#untilShare(KILL_AT)
    // In mid-flight: while it holds writes that nobody has an answer to.
    await until(() => (cluster.leader?.status().pendingProposals ?? 0) > 0, 'no leader had work', {
      unless: () => this.#loadEnded && cluster.leader !== undefined,
    })
    const id = cluster.leader?.id ?? ''
    const killedAtMs = performance.now()
    await cluster.kill(id)
    screen.step(`Killed the leader ${id} after ${this.#acknowledged} acknowledged writes.`)
    await until(() => cluster.leader !== undefined, 'no new leader was elected')
    const leaderlessMs = performance.now() - killedAtMs
    screen.step(`${cluster.leader?.id ?? 'Nobody'} leads after ${Math.round(leaderlessMs)} ms.`)
    return { id, leaderlessMs }
  }

  /** How long it took. */
  async #reopen(id: string): Promise<number> {
    const { cluster, screen } = this.#options
    await this.#untilShare(REOPEN_AT)
    screen.step(`Opening ${id} again from its files.`)
    const openedMs = performance.now()
    const target = commitIndexOf(cluster.nodes)
    const reopened = await cluster.start(id)
    await until(() => reopened.status().appliedIndex >= target, `${id} did not catch up`)
    const recoveryMs = performance.now() - openedMs
    screen.step(`${id} has caught up to index ${target} after ${Math.round(recoveryMs)} ms.`)
    return recoveryMs
  }

  async #check(workload: WorkloadResult, times: Times): Promise<DemoReport> {
    const { flags, ids, cluster, screen } = this.#options
    screen.step('Checking every write on every member.')
    const caughtUp = await hasSettled(cluster.nodes)
    const found = await verify(cluster.nodes, workload, this.#run, flags.clients)
    const problems = problemsOf(found, caughtUp)
    const { lost, duplicated, hashesEqual, unknownApplied } = found
    const { acknowledged, unknown, latenciesMs } = workload
    return {
      problems,
      json: {
        ...{ ok: problems.length === 0, writes: flags.writes, acknowledged: acknowledged.size },
        ...{ unknown: unknown.size, unknownApplied, lost, duplicated, hashesEqual },
        commitsPerSecond: Math.round((acknowledged.size / times.activeMs) * 1000),
        p50ms: round(percentile(latenciesMs, 0.5)),
        p99ms: round(percentile(latenciesMs, 0.99)),
        ...{ leaderlessMs: round(times.leaderlessMs), recoveryMs: round(times.recoveryMs) },
        ...{ installMs: round(times.installMs), installedBytes: times.installedBytes },
        members: ids.map((id) => {
          const { role, term, commitIndex, appliedIndex, stateHash } = cluster.node(id).status()
          return { id, role, term, commitIndex, appliedIndex, stateHash }
        }),
      },
    }
  }

  /** Until so much is acknowledged, or nothing more will be. */
  #untilShare(share: number): Promise<void> {
    const enough = this.#options.flags.writes * share
    return this.#whileAdvancing(() => this.#acknowledged >= enough || this.#loadEnded)
  }

  /** Waits as long as it takes, provided that writes go on being acknowledged. */
  async #whileAdvancing(condition: () => boolean): Promise<void> {
    const isStalled = () => performance.now() - this.#newestAckMs > PATIENCE_MS
    await until(() => condition() || isStalled(), 'the writes did not end', {
      timeoutMs: Number.POSITIVE_INFINITY,
    })
    if (condition()) return
    const text = `The demo failed: no write was acknowledged for ${PATIENCE_MS / 1000} seconds.`
    throw new CliError(ExitCode.FAILED, text)
  }
}

function commitIndexOf(nodes: readonly RaftNode[]): number {
  return Math.max(...nodes.map((node) => node.status().commitIndex))
}

/** True when all members have applied all that is committed. */
async function hasSettled(nodes: readonly RaftNode[]): Promise<boolean> {
  const settled = () => {
    const target = commitIndexOf(nodes)
    return nodes.every((node) => node.status().appliedIndex >= target)
  }
  return until(settled, 'members lag').then(
    () => true,
    () => false,
  )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
