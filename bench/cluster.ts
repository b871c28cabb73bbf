// A nats-server and members, three as a rule, each a process of its own, on fresh directories.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NatsServer } from '../test/support/nats-server.ts'
import { Child } from './child.ts'

export interface ClusterOptions {
  /** Where data directories are made; it must be on the disk to be measured. */
  readonly directory: string
  readonly tuning?: Readonly<Record<string, unknown>>
  readonly execArgv?: readonly string[]
  /** How many. Default: 3. */
  readonly members?: number
  /** What the members replicate. Default: a machine that only counts. */
  readonly machine?: 'count' | 'kv' | `blob:${number}`
  /** Where a member finds the bus, made from where it is. Default: there. */
  readonly wayTo?: (url: string, id: string) => Promise<string>
}

export class Cluster {
  readonly nats: NatsServer
  readonly members = new Map<string, Child>()
  readonly #root: string
  readonly #options: ClusterOptions
  readonly #ids: readonly string[]

  private constructor(nats: NatsServer, options: ClusterOptions) {
    this.nats = nats
    this.#options = options
    this.#ids = Array.from({ length: options.members ?? 3 }, (_, at) => `n${at + 1}`)
    this.#root = mkdtempSync(join(options.directory, '.bench-'))
    process.once('exit', this.#remove)
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(await NatsServer.start(), options)
    await Promise.all(cluster.#ids.map((id) => cluster.startMember(id)))
    return cluster
  }

  async startMember(id: string): Promise<void> {
    const { tuning = {}, execArgv = [], machine = 'count', wayTo } = this.#options
    const url = (await wayTo?.(this.nats.url, id)) ?? this.nats.url
    const args = [id, join(this.#root, id), url, this.#ids.join(','), JSON.stringify(tuning), machine]
    this.members.set(id, await Child.start('./member.js', args, execArgv))
  }

  member(id: string): Child {
    const child = this.members.get(id)
    if (child === undefined) throw new Error(`There is no member ${id}.`)
    return child
  }

  directoryOf(id: string): string {
    return join(this.#root, id)
  }

  /** Kills a member, and removes its files. */
  async wipe(id: string): Promise<void> {
    await this.member(id).kill()
    this.members.delete(id)
    rmSync(this.directoryOf(id), { recursive: true, force: true })
  }

  /** The member that leads and serves. */
  async leader(): Promise<{ id: string; child: Child; term: number }> {
    for (;;) {
      for (const [id, child] of this.members) {
        const { state } = await child.ask('status', { kind: 'status' })
        if (state.leads) return { id, child, term: state.term }
      }
      await sleep(20)
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.members.values()].map((child) => child.stop()))
    await this.nats.stop()
    this.#remove()
    process.off('exit', this.#remove)
  }

  /** Also when the benchmark is ended early: backlogs are large. */
  readonly #remove = (): void => rmSync(this.#root, { recursive: true, force: true, maxRetries: 3 })
}
