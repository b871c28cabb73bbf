// A group of `quorate serve` processes over a nats-server of its own, to be killed, paused and restarted.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAdmin, type QuorateAdmin } from '../../../src/client/admin.ts'
import { MemberSnapshots } from '../../../src/client/member-snapshots.ts'
import { Requester } from '../../../src/client/requester.ts'
import { connectClient, type QuorateClient } from '../../../src/client.ts'
import type { MemberStatus } from '../../../src/protocol/admin-protocol.ts'
import { MESSAGE_LIMITS, parseAnswers, parseReadValue } from '../../../src/protocol/client-protocol.ts'
import type { SnapshotSummary } from '../../../src/protocol/snapshot-protocol.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { connectNats } from '../../../src/transport/nats/connect-nats.ts'
import { clientSubject } from '../../../src/transport/subjects.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { decodeMessage, encodeValue } from '../../../src/transport/wire/codec.ts'
import { type Running, type RunOptions, startCli } from '../../cli/run-cli.ts'
import { NatsServer } from '../../support/nats-server.ts'

/** Of members with the flags below, in milliseconds. */
export const ELECTION_TIMEOUT_MS = 300
const FAST = [
  '--election-timeout',
  String(ELECTION_TIMEOUT_MS),
  '--max-clock-drift',
  '100',
  '--option',
  'maxElectionDelayMs=200',
]
const POLL_MS = 20
/** How long a change of the members or of the leader may find nobody who takes it. */
const ADMIN_TIMEOUT_MS = 30_000

export interface GroupOptions {
  readonly ids?: readonly string[]
  readonly flags?: readonly string[]
  readonly natsConfig?: string
}

export class Group {
  readonly ids: readonly string[]
  readonly nats: NatsServer
  readonly client: QuorateClient
  readonly admin: QuorateAdmin
  readonly transport: Transport
  readonly directory = mkdtempSync(join(tmpdir(), 'quorate-e2e-'))
  readonly #running = new Map<string, Running>()
  /** The newest process of each member, also when it has ended. */
  readonly #newest = new Map<string, Running>()
  readonly #flags: readonly string[]

  private constructor(nats: NatsServer, transport: Transport, options: GroupOptions) {
    this.ids = options.ids ?? ['n1', 'n2', 'n3']
    this.#flags = options.flags ?? []
    this.nats = nats
    this.transport = transport
    this.client = connectClient({ transport, group: 'e2e', timeoutMs: 2000 })
    this.admin = connectAdmin({ transport, group: 'e2e', timeoutMs: ADMIN_TIMEOUT_MS })
  }

  static async start(options: GroupOptions = {}): Promise<Group> {
    const nats = await NatsServer.start(
      options.natsConfig === undefined ? {} : { config: options.natsConfig },
    )
    const group = new Group(nats, await connectNats({ id: 'e2e-client', servers: nats.url }), options)
    await Promise.all(group.ids.map((id) => group.startMember(id)))
    return group
  }

  get alive(): readonly string[] {
    return [...this.#running.keys()]
  }

  /** Whoever is none of those that the group began with waits to be added. */
  async startMember(id: string, options: RunOptions = {}): Promise<void> {
    const data = join(this.directory, id)
    const how = this.ids.includes(id) ? ['--peers', this.ids.join(',')] : ['--join']
    const member = startCli(
      [
        ...['serve', '--id', id, ...how, '--group', 'e2e', '--data', data],
        ...['--nats', this.nats.url, ...FAST, ...this.#flags],
      ],
      options,
    )
    this.#running.set(id, member)
    this.#newest.set(id, member)
    await member.until('The member is up.')
  }

  signal(id: string, signal: NodeJS.Signals): void {
    this.#running.get(id)?.child.kill(signal)
  }

  /** Ends a member by a signal and waits until it is gone. Returns its exit code, null after SIGKILL. */
  async end(id: string, signal: NodeJS.Signals): Promise<number | null> {
    const member = this.#running.get(id)
    if (member === undefined) return null
    this.#running.delete(id)
    member.child.kill(signal)
    return (await member.finished).code
  }

  /** Has a member save its state; rejects with what it says. */
  async takeSnapshot(id: string): Promise<SnapshotSummary> {
    const snapshots = new MemberSnapshots({
      ...{ transport: this.transport, prefix: 'quorate', group: 'e2e', member: id, name: 'e2e' },
      ...{ timeoutMs: 30_000, clock: systemClock },
    })
    return await snapshots.take().finally(() => snapshots.close())
  }

  /** What a member answers to a local read. */
  async readAt(id: string, query: unknown): Promise<unknown> {
    const requester = new Requester(this.transport)
    const message = encodeValue([1, 'e2e', 'local', [encodeValue(query)]])
    const reply = await new Promise<Uint8Array>((resolve) => {
      requester.send(clientSubject('quorate', 'e2e', id, 'read'), message, ({ payload }) =>
        resolve(payload.slice()),
      )
    })
    requester.close()
    const decoded = decodeMessage(reply, MESSAGE_LIMITS)
    const parsed = parseAnswers(decoded.ok ? decoded.value : null, 1, parseReadValue)
    const [answer] = parsed.ok ? parsed.value.answers : []
    if (answer?.ok !== true) throw new Error(`Member ${id} does not answer.`)
    return answer.value[0]
  }

  /** What the newest process of a member has logged. */
  logOf(id: string): string {
    return this.#newest.get(id)?.stdout() ?? ''
  }

  /** Resolves when a member has logged `text`, beyond the first `after` characters of its log. */
  async until(id: string, text: string, after?: number): Promise<void> {
    await this.#running.get(id)?.until(text, after)
  }

  /** The member that serves as leader; with `except`, another one than that. */
  async leader(except?: string): Promise<string> {
    return (await this.leading(except)).id
  }

  /** The same, with its status. */
  async leading(except?: string): Promise<MemberStatus> {
    for (;;) {
      const { members } = await this.client.status({ timeoutMs: 300 })
      const leader = members.find(
        ({ id, role, state }) => id !== except && role === 'leader' && state.endsWith('serving'),
      )
      if (leader !== undefined && this.#running.has(leader.id)) return leader
      await sleep(POLL_MS)
    }
  }

  /** Waits until these, by default all that it began with, have applied the same and have the same state; returns the hash. */
  async converged(ids = this.ids): Promise<string> {
    for (;;) {
      const status = await this.client.status({ timeoutMs: 500 })
      const members = status.members.filter(({ id }) => ids.includes(id))
      const hashes = new Set(members.map((member) => `${member.appliedIndex} ${member.stateHash}`))
      const complete = members.length === ids.length && members.every((m) => m.appliedIndex === m.lastIndex)
      if (complete && hashes.size === 1) return [...hashes].join()
      await sleep(POLL_MS)
    }
  }

  async stop(): Promise<void> {
    for (const id of this.alive) this.signal(id, 'SIGCONT')
    await Promise.all(this.alive.map((id) => this.end(id, 'SIGKILL')))
    this.client.close()
    this.admin.close()
    await this.transport.close()
    await this.nats.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
