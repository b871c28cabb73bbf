// One process of a cluster with many groups: carries a member of each, moves leaders away, makes load where it leads, and
// notes when it takes a group over. Beside IPC, so that tests can have three of them in one process.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Host, RaftNode, TuningInput } from '../../src/index.ts'
import { runLoad } from '../load.ts'
import type { LoadResult } from '../protocol.ts'

/** A group, and who is to lead it. */
export type Move = readonly [group: number, to: string]

/** A group that this process took over: when it was elected there, and when it accepted its first write. */
export interface Takeover {
  readonly group: number
  readonly electedMs: number
  readonly acceptedMs: number
}

export interface GroupLoad extends LoadResult {
  /** Commands that were refused or lost, because their group had another leader by then. */
  readonly failed: number
}

const MOVES_AT_ONCE = 16
const TRIES = 20
const PAUSE_MS = 25
const PROBE = new Uint8Array(100)

export class Carrier {
  readonly #host: Host
  readonly #peers: readonly string[]
  readonly #tuning: TuningInput
  readonly #nodes: RaftNode[] = []
  readonly #takeovers: Takeover[] = []

  constructor(host: Host, peers: readonly string[], tuning: TuningInput = {}) {
    this.#host = host
    this.#peers = peers
    this.#tuning = tuning
  }

  /** As an application would at its start: all at once. */
  async open(groups: number): Promise<void> {
    const started = Array.from({ length: groups }, (_, group) =>
      this.#host.startNode({
        ...{ group: `g${group}`, peers: this.#peers, stateMachine: { apply: () => null } },
        // A snapshot in the midst of a measurement would be measured with it.
        ...{ snapshotIntervalMs: 0, ...this.#tuning },
      }),
    )
    this.#nodes.push(...(await Promise.all(started)))
  }

  /** The numbers of the groups that are led, and served, here. */
  led(): readonly number[] {
    return this.#nodes.flatMap((node, group) => (serves(node) ? [group] : []))
  }

  /** Whom the members here take for the leader of a group. */
  leaderOf(group: number): string | null {
    return this.#nodes[group]?.status().leader ?? null
  }

  /** Gives groups away. Whoever just began to lead does not hand over at once, so it is tried again. */
  async move(moves: readonly Move[]): Promise<void> {
    const rest = [...moves]
    const mover = async (): Promise<void> => {
      for (let move = rest.pop(); move !== undefined; move = rest.pop()) await this.#transfer(move)
    }
    await Promise.all(Array.from({ length: MOVES_AT_ONCE }, mover))
  }

  /** Clients that write to the groups that are led here, in turn. */
  async load(clients: number, size: number, seconds: number): Promise<GroupLoad> {
    const nodes = this.#nodes.filter(serves)
    if (nodes.length === 0) throw new Error(`Process ${this.#host.id} leads no group that could be loaded.`)
    let turn = 0
    let failed = 0
    const apply = async (command: Uint8Array): Promise<void> => {
      const node = nodes[turn++ % nodes.length]
      try {
        await node?.apply(command)
      } catch {
        failed++
        await sleep(PAUSE_MS)
      }
    }
    const result = await runLoad({ clients, size, seconds, apply })
    return { ...result, commits: result.commits - failed, failed }
  }

  /** From now on notes each group that is taken over, with a write of its own to see that it is served. */
  watch(): void {
    this.#nodes.forEach((node, group) => {
      node.on('role', ({ to }) => {
        if (to === 'leader') void this.#probe(node, group, nowMs())
      })
    })
  }

  get takeovers(): readonly Takeover[] {
    return this.#takeovers
  }

  /** Messages that were dropped here, whatever the reason. */
  get drops(): number {
    return this.#host.figures().drops.reduce((sum, { count }) => sum + count, 0)
  }

  async #transfer([group, to]: Move): Promise<void> {
    const node = this.#nodes[group]
    for (let attempt = 0; node !== undefined && serves(node) && attempt < TRIES; attempt++) {
      try {
        await node.transferLeadership(to)
      } catch {
        await sleep(PAUSE_MS)
      }
    }
  }

  async #probe(node: RaftNode, group: number, electedMs: number): Promise<void> {
    while (node.status().role === 'leader') {
      try {
        await node.apply(PROBE)
        this.#takeovers.push({ group, electedMs, acceptedMs: nowMs() })
        return
      } catch {
        await sleep(PAUSE_MS)
      }
    }
  }
}

function serves(node: RaftNode): boolean {
  const { role, state } = node.status()
  return role === 'leader' && state.endsWith('serving')
}

/** Milliseconds of the machine's clock that only goes forward: the same in all its processes. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}
