// Hosts on one in-process bus, each with a disk in memory that outlives it.

import { openHost } from '../../../src/host/open-host.ts'
import type { Host, RaftNode, StartNodeOptions, ThrottleLimits } from '../../../src/index.ts'
import type { TuningInput } from '../../../src/options.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import type { StateMachine } from '../../../src/state-machine.ts'
import { MemoryDisk, MemoryStorage } from '../../../src/storage/memory/memory-storage.ts'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import type { MemoryConnection } from '../../../src/transport/memory/memory-connection.ts'

/** Elections within a fraction of a second, and patience enough for a busy machine. */
export const QUICK: TuningInput = { electionTimeoutMs: 300, maxClockDriftMs: 100, maxElectionDelayMs: 200 }
export const GROUP = 'words'

/** Remembers words, in order. Asked for anything, it says them all. */
export class Words implements StateMachine<unknown, number, unknown, readonly unknown[]> {
  readonly words: unknown[] = []
  readonly hooks: string[] = []

  apply(word: unknown): number {
    return this.words.push(word)
  }

  read(): readonly unknown[] {
    return [...this.words]
  }

  onLeaderStart(term: number): void {
    this.hooks.push(`start ${term}`)
  }

  onLeaderStop(reason: string): void {
    this.hooks.push(`stop ${reason}`)
  }
}

export interface Member {
  readonly id: string
  readonly host: Host
  readonly node: RaftNode
  readonly machine: Words
  readonly connection: MemoryConnection
}

export class World implements AsyncDisposable {
  readonly bus = new MemoryBus()
  readonly ids: readonly string[]
  readonly #disks = new Map<string, MemoryDisk>()
  readonly #hosts = new Set<Host>()
  readonly members = new Map<string, Member>()
  /** Of the hosts that are opened from now on. */
  snapshotThrottle: Partial<ThrottleLimits> = {}

  constructor(...ids: string[]) {
    this.ids = ids
  }

  /** A host of its own, without any group yet. */
  async host(id: string): Promise<{ host: Host; connection: MemoryConnection }> {
    const disk = this.#disks.get(id) ?? new MemoryDisk()
    this.#disks.set(id, disk)
    const connection = this.bus.connect(id)
    const storage = new MemoryStorage({ clock: systemClock, disk })
    const host = await openHost({
      id,
      storage,
      transport: connection,
      snapshotThrottle: this.snapshotThrottle,
    })
    this.#hosts.add(host)
    return { host, connection }
  }

  /** A member of the group, on a host of its own. */
  async member(id: string, options: Partial<StartNodeOptions> = {}): Promise<Member> {
    const { host, connection } = await this.host(id)
    const machine = new Words()
    const node = await host.startNode({
      group: GROUP,
      peers: this.ids,
      stateMachine: machine,
      ...QUICK,
      ...options,
    })
    const member = { id, host, node, machine, connection }
    this.members.set(id, member)
    return member
  }

  /** All members, and the one that leads. */
  async elect(options: Partial<StartNodeOptions> = {}): Promise<{ leader: Member; followers: Member[] }> {
    await Promise.all(this.ids.map((id) => this.member(id, options)))
    return this.leader()
  }

  /** Waits until one of the living leads, may serve reads, and is followed by all others. */
  async leader(): Promise<{ leader: Member; followers: Member[] }> {
    const living = () => [...this.members.values()]
    await until(() => {
      const leaders = living().filter(({ node }) => node.status().state === 'active.leader.serving')
      const [leader] = leaders
      return leaders.length === 1 && living().every(({ node }) => node.status().leader === leader?.id)
    }, 'one leader that all follow')
    const leader = living().find(({ node }) => node.status().role === 'leader')
    if (leader === undefined) throw new Error('the leader is gone again')
    return { leader, followers: living().filter((member) => member !== leader) }
  }

  /** Ends a host in order. */
  async close(member: Member): Promise<void> {
    this.members.delete(member.id)
    this.#hosts.delete(member.host)
    await member.host.close()
    await member.connection.close()
  }

  /** Ends a host without farewell. */
  async kill(member: Member): Promise<void> {
    this.members.delete(member.id)
    this.#hosts.delete(member.host)
    member.host.destroy()
    await member.host.close()
    await member.connection.close()
  }

  /** The disk of a member that is not running is replaced by an empty one. */
  wipe(id: string): void {
    this.#disks.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hosts = [...this.#hosts]
    for (const host of hosts) host.destroy()
    await Promise.all(hosts.map((host) => host.close()))
  }
}

/** For what no event tells: looks again and again, for a bounded time. */
export async function until(holds: () => boolean, what: string, timeoutMs = 8000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
