// Three processes that carry a member of each of many groups, and the bus between them.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../child.ts'
import type { Move } from './carrier.ts'
import { MonitoredServer } from './monitor.ts'
import type { CarrierAnswer, CarrierRequest } from './protocol.ts'

export const IDS = ['n1', 'n2', 'n3'] as const

export interface FleetOptions {
  /** Where data directories are made. */
  readonly directory: string
  readonly groups: number
  readonly tuning: Readonly<Record<string, unknown>>
  readonly execArgv: readonly string[]
}

type Member = Child<CarrierRequest, CarrierAnswer>

const LOOK_EVERY_MS = 200
/** Time for all groups to have leaders: some, and more for each. */
const PATIENCE_MS = 60_000
const PATIENCE_PER_GROUP_MS = 100
const SPREAD_ROUNDS = 10
const NAMED = 10

export class Fleet {
  readonly bus: MonitoredServer
  readonly members = new Map<string, Member>()
  readonly #root: string
  readonly #options: FleetOptions

  private constructor(bus: MonitoredServer, options: FleetOptions) {
    this.bus = bus
    this.#options = options
    this.#root = mkdtempSync(join(options.directory, '.bench-groups-'))
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    return new Fleet(await MonitoredServer.start(), options)
  }

  /** A process without groups yet. */
  async startMember(id: string): Promise<Member> {
    const { tuning, execArgv } = this.#options
    const args = [id, join(this.#root, id), this.bus.nats.url, IDS.join(','), JSON.stringify(tuning)]
    const member = await Child.start<CarrierRequest, CarrierAnswer>('./groups-member.js', args, execArgv)
    this.members.set(id, member)
    return member
  }

  async stopMembers(): Promise<void> {
    await Promise.all([...this.members.values()].map((member) => member.stop()))
    this.members.clear()
  }

  async stop(): Promise<void> {
    await this.stopMembers()
    await this.bus.nats.stop()
    rmSync(this.#root, { recursive: true, force: true })
  }

  each<T>(ask: (member: Member, id: string) => Promise<T>): Promise<readonly T[]> {
    return Promise.all([...this.members].map(([id, member]) => ask(member, id)))
  }

  /** Who leads which groups now. */
  async leaders(): Promise<ReadonlyMap<number, string>> {
    const answers = await this.each(async (member, id) => ({
      id,
      led: (await member.ask('led', { kind: 'led' })).groups,
    }))
    return new Map(answers.flatMap(({ id, led }) => led.map((group) => [group, id] as const)))
  }

  /** @throws naming groups that nobody leads, when it takes too long. */
  async allLed(): Promise<ReadonlyMap<number, string>> {
    const { groups } = this.#options
    const endMs = performance.now() + PATIENCE_MS + groups * PATIENCE_PER_GROUP_MS
    for (;;) {
      const leaders = await this.leaders()
      if (leaders.size === groups) return leaders
      const missing = Array.from({ length: groups }, (_, group) => group).filter(
        (group) => !leaders.has(group),
      )
      if (performance.now() > endMs) throw new Error(withoutLeader(groups, missing))
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** Each process leads every third group. */
  async spread(): Promise<void> {
    for (let round = 0; round < SPREAD_ROUNDS; round++) {
      const moves = movesToSpread(await this.allLed())
      if (moves.size === 0) return
      await this.each((member, id) => member.ask('move', { kind: 'move', moves: moves.get(id) ?? [] }))
    }
    throw new Error('The leaders do not stay where they are put.')
  }
}

/** Which groups each process has to give away, so that each leads every third. */
export function movesToSpread(leaders: ReadonlyMap<number, string>): ReadonlyMap<string, readonly Move[]> {
  const moves = new Map<string, Move[]>()
  for (const [group, leader] of leaders) {
    const to = IDS[group % IDS.length] ?? leader
    if (to !== leader) moves.set(leader, [...(moves.get(leader) ?? []), [group, to]])
  }
  return moves
}

export function withoutLeader(groups: number, missing: readonly number[]): string {
  const named = missing.slice(0, NAMED).map((group) => `g${group}`)
  const more = missing.length > NAMED ? `, and ${missing.length - NAMED} more` : ''
  return `${missing.length} of ${groups} groups have no leader: ${named.join(', ')}${more}.`
}
