// What a seed stands for: size, options, speeds, clients and a random subset of all faults. Runs with every fault on
// hide the bugs that need one fault often, so each seed leaves most of them out.

import type { TuningInput } from '../../options.ts'
import type { Configuration } from '../../rules/types.ts'
import type { Random } from '../../runtime/random.ts'
import { randomInt } from '../../runtime/random.ts'
import type { LinkSettings } from '../bus/link.ts'
import { DEFAULT_DISK_LATENCY, type DiskLatency } from '../disk/sim-disk.ts'
import type { MachinePace } from '../slow-machine.ts'
import { maxRateError } from '../time/clock-bounds.ts'
import { TICK_MS } from '../time/scheduler.ts'
import { between, chance, type Latency, pick, shuffled, streamOf } from '../time/sim-random.ts'
import { drawDisaster } from './disaster.ts'
import { drawEpisodes, FAULT_SOURCES, type FaultSourceName } from './fault-sources.ts'
import type { FaultEpisode } from './faults.ts'
import { drawPace } from './machine-pace.ts'
import { drawMemberChanges, type MemberChangePlan } from './member-changes.ts'
import { drawElections, drawReadonly, drawTransfers } from './operator.ts'
import type { Profile } from './profiles.ts'
import { drawSideGroups, idling, type SideGroupPlan, sleepy } from './side-group-plan.ts'
import { drawSnapshots } from './snapshot-plan.ts'

export interface ClientPlan {
  readonly count: number
  readonly keys: number
  /** A key is retired for a new one after this many: what the linearizability checker decides in no time. */
  readonly operationsPerKey: number
  /** Pause between two operations of one client. */
  readonly think: Latency
  readonly timeoutMs: number
  /** `bus`: the real client and the members' services; `calls`: the nodes themselves, by a client of the simulator. */
  readonly via: 'bus' | 'calls'
  /** Shares of the kinds of operation; reads by level. */
  readonly weights: {
    readonly put: number
    readonly append: number
    readonly cas: number
    readonly delete: number
    readonly readIndex: number
    readonly lease: number
    readonly local: number
  }
}

export interface SwarmPlan {
  readonly seed: number
  readonly profile: Profile
  readonly nodes: readonly string[]
  readonly tuning: TuningInput & { readonly electionTimeoutMs: number }
  readonly link: Partial<LinkSettings>
  readonly disk: DiskLatency
  readonly timerLag: Latency
  readonly deferLag: Latency
  /** How much later it is at each look at a clock; 0: turns take no time. */
  readonly lookMs: number
  /** Machines write on everything they are given. */
  readonly scribbles: boolean
  /** User code throws wherever it is only told something. */
  readonly rude: boolean
  /** Null: they take no time. */
  readonly machinePace: MachinePace | null
  /** How often somebody asks a member for a snapshot; null: nobody does. */
  readonly snapshotsAskedEveryMs: number | null
  /** How often somebody asks for leadership to move, or sets read-only mode; null: nobody does. */
  readonly transfersEveryMs: number | null
  readonly readonlyEveryMs: number | null
  /** How often somebody asks for an election, or for another election timeout; null: nobody does. */
  readonly electionsEveryMs: number | null
  /** Rate of each member's monotonic clock, inside of the declared bound. */
  readonly clockRates: Readonly<Record<string, number>>
  readonly clients: ClientPlan
  readonly safetyMs: number
  readonly livenessMs: number
  /** Which sources of faults this seed has on. */
  readonly sources: readonly FaultSourceName[]
  readonly episodes: readonly FaultEpisode[]
  /** The group begins in the middle of a change of membership, as a leader that crashed left it; null: it does not. */
  readonly inherited: Configuration | null
  /** Other groups of the same processes, and how often somebody writes to them; null: nobody does. */
  readonly sideGroups: readonly SideGroupPlan[]
  /** In the end a majority is lost for good, and an operator says who the members are. */
  readonly disaster: boolean
  /** Somebody changes the members; null: they stay as they are. */
  readonly memberChanges: MemberChangePlan | null
  /** Members whose disks the plan may damage for good: at most a minority, except in `unsurvivable`. */
  readonly victims: readonly string[]
}

export interface SwarmInput {
  readonly seed: number
  readonly profile?: Profile
  /** Instead of a drawn size. */
  readonly nodes?: number
  /** Virtual length of the safety phase. */
  readonly safetyMs?: number
  /** The same in election timeouts, which are drawn; `safetyMs` comes first. */
  readonly safetyTimeouts?: number
  /** Instead of drawn ones. */
  readonly tuning?: TuningInput
  readonly sources?: readonly FaultSourceName[]
  readonly machinePace?: MachinePace
  /** Whether the group begins joint, instead of drawing it. */
  readonly joint?: boolean
  /** Whether members come and go, instead of drawing it. */
  readonly changes?: boolean
  readonly via?: ClientPlan['via']
}

const LOOKS_MS = [0, 0, 0, 0, 0, TICK_MS, 0.005, 0.02]
const NAMES = ['A', 'B', 'C', 'D', 'E', 'F', 'G']

export function drawSwarm(input: SwarmInput): SwarmPlan {
  const { seed, profile = 'swarm', nodes: size, safetyMs, safetyTimeouts } = input
  const random = streamOf(seed, 'swarm')
  const count = size ?? pick(random, [1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7])
  if (count < 1 || count > NAMES.length) throw new RangeError(`A cluster has 1 to 7 members, not ${count}.`)
  const nodes = NAMES.slice(0, count)
  const tuning = { ...sleepy(seed, profile, drawTuning(random)), ...definedOf(input.tuning) }
  const snapshots = drawSnapshots(streamOf(seed, 'snapshots'), tuning.electionTimeoutMs)
  const drawnTimeouts = between(random, 30, 120)
  const durationMs = safetyMs ?? tuning.electionTimeoutMs * (safetyTimeouts ?? drawnTimeouts)
  const drawnSources = drawSources(random, profile)
  const sources = input.sources ?? drawnSources
  const disaster = drawDisaster(streamOf(seed, 'disaster'), profile)
  const memberChanges = drawMemberChanges(streamOf(seed, 'members'), {
    ...{ profile, changes: input.changes, electionTimeoutMs: tuning.electionTimeoutMs },
    spares: NAMES.slice(count),
    ...{ count, disaster },
  })
  const hosts = [...nodes, ...(memberChanges?.joiners ?? [])]
  const victims =
    profile === 'unsurvivable' ? nodes : shuffled(random, nodes).slice(0, Math.floor((count - 1) / 2))
  return {
    seed,
    profile,
    nodes,
    tuning: { ...snapshots.tuning, ...tuning },
    link: { latency: drawLinkLatency(random, tuning.electionTimeoutMs) },
    disk: drawDiskLatency(random),
    timerLag: pick<Latency>(random, [
      { shape: 'constant', ms: 0 },
      { shape: 'exponential', minMs: 0, meanMs: 0.2, maxMs: 20 },
    ]),
    deferLag: pick<Latency>(random, [
      { shape: 'constant', ms: 0 },
      { shape: 'uniform', minMs: 0, maxMs: 0.05 },
      { shape: 'exponential', minMs: 0, meanMs: 0.1, maxMs: 5 },
    ]),
    // A stream of its own, so that what else a seed stands for stays as it was.
    lookMs: pick(streamOf(seed, 'looks'), LOOKS_MS),
    scribbles: chance(streamOf(seed, 'scribbles'), 0.5),
    snapshotsAskedEveryMs: snapshots.askedEveryMs,
    transfersEveryMs: drawTransfers(streamOf(seed, 'transfers'), profile, tuning.electionTimeoutMs),
    readonlyEveryMs: drawReadonly(streamOf(seed, 'read-only'), profile, tuning.electionTimeoutMs),
    electionsEveryMs: drawElections(streamOf(seed, 'elections'), profile, tuning.electionTimeoutMs),
    rude: chance(streamOf(seed, 'rude'), 0.15),
    machinePace: input.machinePace ?? drawPace(streamOf(seed, 'pace'), tuning.electionTimeoutMs),
    clockRates: drawClockRates(random, hosts, tuning),
    clients: {
      ...idling(seed, profile, drawClients(random, tuning.electionTimeoutMs), tuning.electionTimeoutMs),
      via: input.via ?? (chance(streamOf(seed, 'via'), BUS_RATE) ? 'bus' : 'calls'),
    },
    safetyMs: durationMs,
    livenessMs: tuning.electionTimeoutMs * 40 + 5000,
    sources,
    victims,
    sideGroups: drawSideGroups(streamOf(seed, 'side groups'), profile, tuning.electionTimeoutMs),
    disaster,
    memberChanges,
    inherited: drawInherited(streamOf(seed, 'inherited'), nodes, input),
    episodes: drawEpisodes(streamOf(seed, 'faults'), {
      sources,
      nodes: hosts,
      victims,
      durationMs,
      electionTimeoutMs: tuning.electionTimeoutMs,
      maxRateError: maxRateError(tuning),
    }),
  }
}

/** Two halves that share somebody and together are everybody. */
function drawInherited(
  random: Random,
  nodes: readonly string[],
  { joint, profile = 'swarm' }: SwarmInput,
): Configuration | null {
  const rate = profile === 'membership' ? 0.7 : profile === 'swarm' ? 0.1 : 0
  if (!(joint ?? chance(random, rate)) || nodes.length < 3) return null
  const mixed = shuffled(random, nodes)
  const most = Math.floor((mixed.length - 1) / 2)
  const left = randomInt(random, 0, most)
  const right = randomInt(random, left === 0 ? 1 : 0, most)
  return { oldPeers: mixed.slice(0, mixed.length - right), peers: mixed.slice(left) }
}

/** Without what is undefined, which must not hide what was drawn. */
function definedOf(tuning: TuningInput = {}): Partial<DrawnTuning> {
  return Object.fromEntries(Object.entries(tuning).filter(([, value]) => value !== undefined))
}

type DrawnTuning = TuningInput & { electionTimeoutMs: number; maxClockDriftMs: number }

function drawTuning(random: Random): DrawnTuning {
  const electionTimeoutMs = pick(random, [100, 200, 300, 500, 1000])
  return {
    electionTimeoutMs,
    maxClockDriftMs: Math.ceil(electionTimeoutMs * pick(random, [0.1, 0.5, 1])),
    maxElectionDelayMs: Math.ceil(electionTimeoutMs * pick(random, [0.2, 1, 1])),
    electionHeartbeatFactor: pick(random, [4, 10, 10]),
    leaderLease: chance(random, 0.5),
    stepDownWhenVoteTimedOut: chance(random, 0.7),
    maxFramesInFlight: pick(random, [1, 2, 16]),
    maxEntriesPerFrame: pick(random, [1, 4, 1024]),
    maxApplyBatch: pick(random, [1, 16, 4096]),
    maxCachedLogBytes: pick(random, [0, 1000, 8 * 1024 * 1024]),
    appendTimeoutMs: Math.ceil(electionTimeoutMs * pick(random, [0.5, 2, 5])),
    retryReplicateIntervalMs: Math.ceil(electionTimeoutMs * pick(random, [0.1, 1])),
    maxPendingProposals: pick(random, [4, 65_536, 65_536]),
  }
}

function drawClockRates(
  random: Random,
  nodes: readonly string[],
  tuning: DrawnTuning,
): Record<string, number> {
  const isExact = chance(random, 0.5)
  const bound = maxRateError(tuning)
  return Object.fromEntries(nodes.map((node) => [node, isExact ? 1 : 1 + between(random, -bound, bound)]))
}

function drawLinkLatency(random: Random, electionTimeoutMs: number): Latency {
  return pick<Latency>(random, [
    { shape: 'constant', ms: 1 },
    { shape: 'uniform', minMs: 0.1, maxMs: electionTimeoutMs / 20 },
    { shape: 'exponential', minMs: 0.1, meanMs: 0.5, maxMs: electionTimeoutMs },
    { shape: 'exponential', minMs: 0.1, meanMs: electionTimeoutMs / 30, maxMs: electionTimeoutMs * 2 },
  ])
}

function drawDiskLatency(random: Random): DiskLatency {
  const sync = pick<Latency>(random, [
    { shape: 'constant', ms: 0.5 },
    DEFAULT_DISK_LATENCY.sync,
    { shape: 'exponential', minMs: 1, meanMs: 10, maxMs: 500 },
  ])
  return { ...DEFAULT_DISK_LATENCY, sync }
}

/** Share of the seeds whose clients are real ones. */
const BUS_RATE = 0.25

function drawClients(random: Random, electionTimeoutMs: number): Omit<ClientPlan, 'via'> {
  return {
    count: randomInt(random, 1, 6),
    keys: pick(random, [1, 2, 5, 20]),
    operationsPerKey: 300,
    think: {
      shape: 'exponential',
      minMs: 0,
      meanMs: electionTimeoutMs / pick(random, [2, 10, 50]),
      maxMs: 5000,
    },
    timeoutMs: electionTimeoutMs * pick(random, [1, 3, 10]),
    weights: {
      put: 3,
      append: 2,
      cas: 2,
      delete: chance(random, 0.5) ? 1 : 0,
      readIndex: 4,
      lease: chance(random, 0.5) ? 2 : 0,
      local: chance(random, 0.5) ? 1 : 0,
    },
  }
}

function drawSources(random: Random, profile: Profile): FaultSourceName[] {
  const field = profile === 'groups' ? 'swarm' : profile
  const possible = FAULT_SOURCES.filter(({ profiles }) => profiles.includes(field)).map(({ name }) => name)
  // Every seed has its own appetite: some runs are calm, some have half of everything.
  const appetite = pick(random, [0.1, 0.2, 0.35, 0.5])
  const drawn = possible.filter(() => chance(random, appetite))
  return drawn.length === 0 && possible.length > 0 && chance(random, 0.8) ? [pick(random, possible)] : drawn
}

export { PROFILES, type Profile } from './profiles.ts'
