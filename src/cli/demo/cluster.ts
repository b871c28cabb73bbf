// The members of the demo, in one process: started, killed, and started again by name.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RaftNode, RoleChange } from '../../api.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Transport } from '../../transport/transport.ts'
import { type Member, openMember } from './member.ts'

export interface ClusterOptions {
  readonly ids: readonly string[]
  readonly group: string
  /** Each member has a directory of its own in it. */
  readonly dataDir: string
  /** Opens a connection of its own for a member or a client. */
  readonly connect: (name: string) => Promise<Transport>
  readonly onRole: (id: string, change: RoleChange) => void
  /** Of a member; without it, the clock of the machine. */
  readonly clockOf?: (id: string) => Clock | undefined
}

export class Cluster {
  readonly #options: ClusterOptions
  readonly #members = new Map<string, Member>()
  readonly #starting = new Set<Promise<RaftNode>>()
  /** The end of the demo is no part of its story. */
  #closing = false

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  get nodes(): readonly RaftNode[] {
    return [...this.#members.values()].map(({ node }) => node)
  }

  /** Who leads the newest term, as far as the members know. */
  get leader(): RaftNode | undefined {
    const leading = this.nodes.filter((node) => node.status().role === 'leader')
    return leading.sort((a, b) => b.status().term - a.status().term)[0]
  }

  node(id: string): RaftNode {
    const member = this.#members.get(id)
    if (member === undefined) throw new Error(`Member ${id} is not running.`)
    return member.node
  }

  start(id: string): Promise<RaftNode> {
    const started = this.#open(id).finally(() => this.#starting.delete(started))
    this.#starting.add(started)
    return started
  }

  async kill(id: string): Promise<void> {
    const member = this.#members.get(id)
    this.#members.delete(id)
    await member?.kill()
  }

  /** Kills a member and removes its files. */
  async wipe(id: string): Promise<void> {
    await this.kill(id)
    rmSync(join(this.#options.dataDir, id), { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  }

  /** Also waits for members that are still starting: one that comes up later would keep the process alive. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.allSettled(this.#starting)
    const members = [...this.#members.values()]
    this.#members.clear()
    await Promise.allSettled(members.map((member) => member.close()))
  }

  async #open(id: string): Promise<RaftNode> {
    const { ids, group, dataDir, connect, onRole, clockOf } = this.#options
    const clock = clockOf?.(id)
    const own = clock === undefined ? {} : { clock }
    const member = await openMember({ id, peers: ids, group, dataDir: join(dataDir, id), connect, ...own })
    member.node.on('role', (change) => {
      if (!this.#closing) onRole(id, change)
    })
    this.#members.set(id, member)
    return member.node
  }
}
