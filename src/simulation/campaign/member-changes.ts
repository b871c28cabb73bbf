// An operator who changes the members of a simulated group, as long as the faults go on: adds, removes, replaces, promotes,
// demotes, gives priorities, and asks whoever seems to lead.

import { decodeConfiguration } from '../../log/configuration-codec.ts'
import type { ChangeWish, MemberWish } from '../../rules/change.ts'
import { type Configuration, EntryType, type PeerId } from '../../rules/types.ts'
import type { Random } from '../../runtime/random.ts'
import { randomInt } from '../../runtime/random.ts'
import { GROUP, type SimMember } from '../sim-member.ts'
import type { Simulation } from '../simulation.ts'
import { EventKind } from '../time/scheduler.ts'
import { chance, drawLatencyMs, exponential, pick, shuffled } from '../time/sim-random.ts'
import type { Profile } from './profiles.ts'

export interface MemberChangePlan {
  /** The mean pause between two wishes. */
  readonly everyMs: number
  /** Hosts that begin without a configuration, and wait to be added. */
  readonly joiners: readonly PeerId[]
  /** Those of them who come as witnesses, and as nothing else. */
  readonly witnesses: readonly PeerId[]
}

interface DrawInput {
  readonly profile: Profile
  /** Whether they come and go, instead of drawing it. */
  readonly changes: boolean | undefined
  readonly electionTimeoutMs: number
  /** How many there are at first, and who else there might be. */
  readonly count: number
  readonly spares: readonly PeerId[]
  /** The operator says in the end who the members are, and the one that he tells must have the data. */
  readonly disaster: boolean
}

/** Most groups of `membership`, some of the swarm; never where disks lie, for then nobody can tell who is a majority. */
export function drawMemberChanges(random: Random, input: DrawInput): MemberChangePlan | null {
  const { profile, changes, electionTimeoutMs, count, spares, disaster } = input
  const rate = profile === 'membership' ? 0.8 : profile === 'swarm' ? 0.25 : 0
  if (!(changes ?? chance(random, rate))) return null
  const joiners = spares.slice(0, randomInt(random, 0, 3))
  if (count + joiners.length < 2) return null
  const everyMs = electionTimeoutMs * pick(random, [1, 3, 10])
  const witnesses = joiners.filter(() => chance(random, 0.5))
  return { everyMs, joiners, witnesses: disaster ? [] : witnesses }
}

export interface Seen {
  readonly peers: readonly PeerId[]
  readonly learners: readonly PeerId[]
}

export interface DrawnWish {
  readonly wish: ChangeWish
  /** Of members that are not these it is not wished. */
  readonly expect: readonly PeerId[]
}

interface OperatorInput {
  readonly sim: Simulation
  readonly random: Random
  readonly plan: MemberChangePlan
  /** Whose disks may be damaged for good: they never are a majority. */
  readonly victims: readonly PeerId[]
}

/** How long an operator waits for a change before he wishes the next one, in pauses. */
const PATIENCE_PAUSES = 10

export class MemberOperator {
  readonly #input: OperatorInput
  #stopped = false

  constructor(input: OperatorInput) {
    this.#input = input
  }

  start(): void {
    this.#later()
  }

  /** Wishes nothing new. */
  stop(): void {
    this.#stopped = true
  }

  #later(): void {
    const { sim, random, plan } = this.#input
    sim.scheduler.schedule(drawLatencyMs(random, exponential(plan.everyMs)), EventKind.OTHER, () =>
      this.#next(),
    )
  }

  #next(): void {
    if (this.#stopped) return
    const { sim, random, plan, victims } = this.#input
    const asked = sim.leader() ?? pick(random, sim.nodes)
    const member = sim.members.get(asked)
    const hosts = { all: sim.nodes, victims, witnesses: plan.witnesses }
    const drawn = member?.alive === true ? drawWish(random, member.status(), hosts) : null
    if (member === undefined || drawn === null) return this.#later()
    sim.note('operator', drawn.wish.kind, { asked, wish: JSON.stringify(drawn.wish) })
    sim.askForChange(asked, drawn, PATIENCE_PAUSES * plan.everyMs, ({ outcome }) => {
      sim.note('operator', 'told', { outcome })
      this.#later()
    })
  }
}

/** Who there is, whose disks may be damaged for good, and who comes as a witness. */
export interface Hosts {
  readonly all: readonly PeerId[]
  readonly victims: readonly PeerId[]
  readonly witnesses: readonly PeerId[]
}

/** Null: nothing that may be wished here. */
export function drawWish(random: Random, { peers, learners }: Seen, hosts: Hosts): DrawnWish | null {
  const expect = [...peers, ...learners]
  const strangers = hosts.all.filter((host) => !expect.includes(host))
  const wish = drawKind(random, { peers, learners }, strangers, hosts)
  if (wish === null || !survives(votersAfter({ peers, learners }, wish), hosts.victims)) return null
  return { wish, expect }
}

const KINDS = ['add', 'add', 'learn', 'remove', 'replace', 'any', 'promote', 'demote', 'prioritize'] as const
/** 0 is rare: where it is given, no liveness is asked for, since whoever has the newest entry may be one that never leads. */
const PRIORITIES = [0, 50, 50, 50, 100, 100, 100, 200, 200, 200]

function drawKind(
  random: Random,
  { peers, learners }: Seen,
  strangers: readonly PeerId[],
  { all, witnesses }: Hosts,
): ChangeWish | null {
  const asVoter = (id: PeerId): MemberWish => ({ id, role: witnesses.includes(id) ? 'witness' : 'voter' })
  const one = (names: readonly PeerId[]): PeerId | null => (names.length === 0 ? null : pick(random, names))
  const kind = pick(random, KINDS)
  const stranger = one(strangers)
  const peer = one(peers)
  const learner = one(learners)
  switch (kind) {
    case 'add':
      return stranger === null ? null : { kind: 'add', member: asVoter(stranger) }
    case 'learn':
      return stranger === null || witnesses.includes(stranger)
        ? null
        : { kind: 'add', member: { id: stranger, role: 'learner' } }
    case 'remove':
      return peer === null ? null : { kind: 'remove', peer: chance(random, 0.2) ? (learner ?? peer) : peer }
    case 'promote':
      return learner === null ? null : { kind: 'promote', peer: learner }
    case 'demote':
      return peer === null ? null : { kind: 'demote', peer }
    case 'prioritize':
      return peer === null ? null : { kind: 'prioritize', peer, priority: pick(random, PRIORITIES) }
    case 'replace':
      return stranger === null || peer === null
        ? null
        : {
            kind: 'set',
            members: asMembers([...peers.filter((id) => id !== peer), stranger].map(asVoter), learners),
          }
    case 'any': {
      const mixed = shuffled(random, all)
      const voters = mixed.slice(0, randomInt(random, 1, mixed.length))
      const rest = mixed.slice(voters.length).filter((id) => !witnesses.includes(id))
      return {
        kind: 'set',
        members: asMembers(voters.map(asVoter), chance(random, 0.3) ? rest.slice(0, 1) : []),
      }
    }
  }
}

const asMembers = (voters: readonly MemberWish[], learners: readonly PeerId[]): MemberWish[] => [
  ...voters,
  ...learners
    .filter((learner) => !voters.some(({ id }) => id === learner))
    .map((id) => ({ id, role: 'learner' as const })),
]

function votersAfter({ peers }: Seen, wish: ChangeWish): readonly PeerId[] {
  switch (wish.kind) {
    case 'set':
      return wish.members.filter(({ role }) => role !== 'learner').map(({ id }) => id)
    case 'add':
      return wish.member.role === 'learner' ? peers : [...peers, wish.member.id]
    case 'promote':
      return [...peers, wish.peer]
    case 'prioritize':
      return peers
    default:
      return peers.filter((id) => id !== wish.peer)
  }
}

/** Does a majority stay whose disks nobody damages for good? */
function survives(voters: readonly PeerId[], victims: readonly PeerId[]): boolean {
  return voters.length > 0 && voters.filter((id) => victims.includes(id)).length * 2 < voters.length
}

/**
 * Every set of voters that may have to agree from now on: whatever is the newest configuration anywhere, and what a leader is
 * about to make of it.
 */
export function votersInSight(members: Iterable<SimMember>): readonly (readonly PeerId[])[] {
  return configurationsInSight(members)
    .flatMap(({ peers, oldPeers }) => [peers, oldPeers])
    .filter((set) => set.length > 0)
}

/**
 * Where there are witnesses, everybody else: whoever has the entries that one of them knows of may be the only one who can be
 * elected, also while he is about to leave.
 */
export function holdersInSight(members: Iterable<SimMember>): readonly PeerId[] {
  const all = [...members]
  const witnesses = new Set(configurationsInSight(all).flatMap((each) => each.witnesses ?? []))
  return witnesses.size === 0 ? [] : all.map(({ id }) => id).filter((id) => !witnesses.has(id))
}

/** May somebody have been told never to lead? */
export function hasWhoNeverLeads(members: Iterable<SimMember>): boolean {
  return configurationsInSight(members).some(({ priorities = {} }) => Object.values(priorities).includes(0))
}

function configurationsInSight(members: Iterable<SimMember>): readonly Configuration[] {
  const all: Configuration[] = []
  for (const member of members) {
    const core = member.node?.core
    const known: readonly (Configuration | null | undefined)[] = [
      core?.configuration,
      core?.office?.change.target,
      durableConfiguration(member),
    ]
    for (const configuration of known) if (configuration) all.push(configuration)
  }
  return all
}

function durableConfiguration({ disk }: SimMember): Configuration | null {
  const image = disk.durable(GROUP)
  for (let index = image?.lastIndex ?? 0; image !== null && index >= image.firstIndex; index--) {
    const entry = image.entryAt(index)
    if (entry?.type === EntryType.CONFIGURATION) return decodeConfiguration(entry)
  }
  return disk.snapshots.newest(GROUP)?.meta ?? null
}
