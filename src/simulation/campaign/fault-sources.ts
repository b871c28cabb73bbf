// Where planned faults come from: for each source how often, how long, and what it draws.

import type { Random } from '../../runtime/random.ts'
import type { MessageKind } from '../bus/message-kind.ts'
import type { CrashPoint } from '../disk/crash-points.ts'
import type { FailPoint } from '../disk/disk-faults.ts'
import type { Damage, StoreName } from '../disk/disk-image.ts'
import { between, chance, drawLatencyMs, pick, shuffled } from '../time/sim-random.ts'
import type { Fault, FaultEpisode } from './faults.ts'
import { drawPartition } from './partition-shapes.ts'
import type { Profile } from './swarm.ts'

export interface EpisodeContext {
  readonly sources: readonly FaultSourceName[]
  readonly nodes: readonly string[]
  /** Whose disks may be damaged for good. */
  readonly victims: readonly string[]
  readonly durationMs: number
  readonly electionTimeoutMs: number
  /** The bound on clock rates that the options declare. */
  readonly maxRateError: number
}

interface FaultSource {
  readonly name: string
  readonly profiles: readonly Profile[]
  /** Mean time between two episodes, and of one, in election timeouts. */
  readonly everyTimeouts: number
  readonly forTimeouts: number
  /** Null: nothing to do here, for example no second member. */
  draw(random: Random, context: EpisodeContext): Fault | null
}

const NETWORK: readonly Profile[] = ['swarm', 'network', 'unsurvivable']
const PROCESS: readonly Profile[] = ['swarm', 'network', 'disk', 'clock', 'unsurvivable']
const DISK: readonly Profile[] = ['swarm', 'disk', 'unsurvivable']
const CLOCK: readonly Profile[] = ['swarm', 'clock', 'unsurvivable']
const UNSURVIVABLE: readonly Profile[] = ['unsurvivable']

const CRASH_POINTS: readonly CrashPoint[] = [
  'issued:log',
  'issued:meta',
  'writing:log',
  'writing:meta',
  'syncing:log',
  'syncing:meta',
  'synced:log',
  'synced:meta',
  'answered:log',
  'answered:meta',
  'send:vote',
  'send:voteAck',
  'send:append',
  'send:appendAck',
  'send:timeoutNow',
  'deliver:vote',
  'deliver:voteAck',
  'deliver:append',
  'deliver:appendAck',
  'deliver:timeoutNow',
  'commit',
  'apply',
  'completion',
]

const FILTERABLE: readonly MessageKind[] = [
  'prevote',
  'prevoteAck',
  'vote',
  'voteAck',
  'append',
  'appendAck',
  'heartbeat',
  'heartbeatAck',
  'timeoutNow',
  'readIndex',
  'readIndexAck',
]

const twoOf = (random: Random, nodes: readonly string[]): [string, string] | null => {
  const [a, b] = shuffled(random, nodes)
  return a === undefined || b === undefined ? null : [a, b]
}

function drawOneWay(random: Random, { nodes }: EpisodeContext): Fault | null {
  const node = pick(random, nodes)
  const others = nodes.filter((other) => other !== node)
  if (others.length === 0) return null
  const hit = chance(random, 0.5) ? others : [pick(random, others)]
  const isDeaf = chance(random, 0.5)
  return { kind: 'block', links: hit.map((other) => (isDeaf ? [other, node] : [node, other])) }
}

function drawClog(random: Random, { nodes }: EpisodeContext): Fault | null {
  const pair = twoOf(random, nodes)
  return pair === null ? null : { kind: 'clog', from: pair[0], to: pair[1] }
}

const everyLink = (settings: Extract<Fault, { kind: 'link' }>['settings']): Fault => ({
  kind: 'link',
  from: '*',
  to: '*',
  settings,
})

const victim = (random: Random, { victims }: EpisodeContext, make: (node: string) => Fault): Fault | null =>
  victims.length === 0 ? null : make(pick(random, victims))

const SOURCES = [
  {
    name: 'partition',
    profiles: NETWORK,
    everyTimeouts: 8,
    forTimeouts: 5,
    draw: (random, { nodes }) => drawPartition(random, nodes),
  },
  { name: 'oneway', profiles: NETWORK, everyTimeouts: 10, forTimeouts: 5, draw: drawOneWay },
  { name: 'clog', profiles: NETWORK, everyTimeouts: 10, forTimeouts: 4, draw: drawClog },
  {
    name: 'flap',
    profiles: NETWORK,
    everyTimeouts: 20,
    forTimeouts: 8,
    draw: (random, { nodes, electionTimeoutMs }) => ({
      kind: 'flap',
      node: pick(random, nodes),
      upMs: electionTimeoutMs * pick(random, [0.1, 1, 2]),
      downMs: electionTimeoutMs * pick(random, [0.1, 1, 2]),
    }),
  },
  {
    name: 'drop',
    profiles: NETWORK,
    everyTimeouts: 10,
    forTimeouts: 6,
    draw: (random) => everyLink({ dropRate: pick(random, [0.01, 0.1, 0.3, 0.9]) }),
  },
  {
    name: 'delay',
    profiles: NETWORK,
    everyTimeouts: 15,
    forTimeouts: 5,
    draw: (random, { electionTimeoutMs }) => {
      const meanMs = electionTimeoutMs * pick(random, [0.1, 0.5, 2, 10])
      return everyLink({ latency: { shape: 'exponential', minMs: 0.1, meanMs, maxMs: meanMs * 10 } })
    },
  },
  {
    name: 'duplicate',
    profiles: NETWORK,
    everyTimeouts: 10,
    forTimeouts: 10,
    draw: (random, { electionTimeoutMs }) =>
      everyLink({
        duplicateRate: pick(random, [0.01, 0.1, 0.5]),
        replayMaxMs: electionTimeoutMs * pick(random, [0.1, 3, 30]),
      }),
  },
  {
    name: 'reorder',
    profiles: NETWORK,
    everyTimeouts: 10,
    forTimeouts: 8,
    draw: (random, { electionTimeoutMs }) =>
      everyLink({
        reorderRate: pick(random, [0.05, 0.3, 1]),
        reorderWindowMs: electionTimeoutMs * pick(random, [0.01, 0.1, 1]),
      }),
  },
  {
    name: 'damage',
    profiles: NETWORK,
    everyTimeouts: 15,
    forTimeouts: 5,
    draw: (random) => everyLink({ damageRate: pick(random, [0.02, 0.3]) }),
  },
  {
    name: 'filter',
    profiles: NETWORK,
    everyTimeouts: 10,
    forTimeouts: 5,
    draw: (random, { nodes }) => ({
      kind: 'link',
      from: chance(random, 0.5) ? '*' : pick(random, nodes),
      to: chance(random, 0.5) ? '*' : pick(random, nodes),
      settings: { filter: [pick(random, FILTERABLE)] },
    }),
  },
  {
    name: 'bandwidth',
    profiles: NETWORK,
    everyTimeouts: 15,
    forTimeouts: 5,
    draw: (random) => everyLink({ bandwidthBytesPerMs: pick(random, [1, 10, 100]) }),
  },
  {
    name: 'disconnect',
    profiles: NETWORK,
    everyTimeouts: 12,
    forTimeouts: 3,
    draw: (random, { nodes, electionTimeoutMs }) => ({
      kind: 'disconnect',
      node: pick(random, nodes),
      noticedAfterMs: electionTimeoutMs * pick(random, [0, 0.1, 1]),
    }),
  },
  {
    name: 'crash',
    profiles: PROCESS,
    everyTimeouts: 10,
    forTimeouts: 4,
    draw: (random, { nodes }) => ({ kind: 'crash', node: pick(random, nodes), power: 'kept' }),
  },
  {
    name: 'powerLoss',
    profiles: PROCESS,
    everyTimeouts: 12,
    forTimeouts: 4,
    draw: (random, { nodes }) => ({ kind: 'crash', node: pick(random, nodes), power: 'lost' }),
  },
  {
    name: 'crashPoint',
    profiles: PROCESS,
    everyTimeouts: 5,
    forTimeouts: 4,
    draw: (random, { nodes }) => ({
      kind: 'crash',
      node: pick(random, nodes),
      power: chance(random, 0.5) ? 'lost' : 'kept',
      at: { point: pick(random, CRASH_POINTS), nth: pick(random, [1, 1, 2, 5]) },
    }),
  },
  {
    name: 'crashAll',
    profiles: PROCESS,
    everyTimeouts: 30,
    forTimeouts: 1,
    draw: (random) => ({ kind: 'crashAll', power: chance(random, 0.7) ? 'lost' : 'kept' }),
  },
  {
    name: 'pause',
    profiles: PROCESS,
    everyTimeouts: 8,
    forTimeouts: 3,
    draw: (random, { nodes }) => ({ kind: 'pause', node: pick(random, nodes) }),
  },
  {
    name: 'clockRate',
    profiles: CLOCK,
    everyTimeouts: 8,
    forTimeouts: 10,
    draw: (random, { nodes, maxRateError }) => ({
      kind: 'clockRate',
      node: pick(random, nodes),
      rate: 1 + pick(random, [-maxRateError, maxRateError, between(random, -maxRateError, maxRateError)]),
    }),
  },
  {
    name: 'wallJump',
    profiles: CLOCK,
    everyTimeouts: 5,
    forTimeouts: 5,
    draw: (random, { nodes }) => ({
      kind: 'wallJump',
      node: pick(random, nodes),
      byMs: pick(random, [-1, 1]) * pick(random, [1000, 3_600_000, 3e10]),
    }),
  },
  {
    name: 'timerLag',
    profiles: CLOCK,
    everyTimeouts: 8,
    forTimeouts: 6,
    draw: (random, { nodes, electionTimeoutMs }) => {
      const meanMs = electionTimeoutMs * pick(random, [0.01, 0.1, 1])
      const node = pick(random, nodes)
      return { kind: 'timerLag', node, lag: { shape: 'exponential', minMs: 0, meanMs, maxMs: meanMs * 10 } }
    },
  },
  {
    name: 'slowDisk',
    profiles: DISK,
    everyTimeouts: 8,
    forTimeouts: 6,
    draw: (random, { nodes }) => ({
      kind: 'slowDisk',
      node: pick(random, nodes),
      factor: pick(random, [5, 50, 1000]),
    }),
  },
  {
    name: 'stallDisk',
    profiles: DISK,
    everyTimeouts: 12,
    forTimeouts: 4,
    draw: (random, { nodes }) => ({ kind: 'stallDisk', node: pick(random, nodes) }),
  },
  {
    name: 'failDisk',
    profiles: DISK,
    everyTimeouts: 15,
    forTimeouts: 4,
    draw: (random, { nodes }) => ({
      kind: 'failDisk',
      node: pick(random, nodes),
      store: pick<StoreName>(random, ['log', 'meta']),
      times: chance(random, 0.5) ? 'once' : 'always',
      point: pick<FailPoint>(random, ['write', 'sync', 'full', 'read']),
    }),
  },
  {
    name: 'corrupt',
    profiles: DISK,
    everyTimeouts: 40,
    forTimeouts: 2,
    draw: (random, context) =>
      victim(random, context, (node) => ({
        kind: 'corrupt',
        node,
        store: chance(random, 0.3) ? 'meta' : 'log',
        place: pick(random, ['first', 'middle', 'last', 'any']),
        damage: pick<Damage>(random, ['payload', 'header', 'missing']),
      })),
  },
  {
    name: 'wipe',
    profiles: UNSURVIVABLE,
    everyTimeouts: 40,
    forTimeouts: 2,
    draw: (random, context) => victim(random, context, (node) => ({ kind: 'wipe', node })),
  },
  {
    name: 'oldImage',
    profiles: UNSURVIVABLE,
    everyTimeouts: 40,
    forTimeouts: 10,
    draw: (random, context) => victim(random, context, (node) => ({ kind: 'oldImage', node })),
  },
  {
    name: 'lie',
    profiles: UNSURVIVABLE,
    everyTimeouts: 40,
    forTimeouts: 10,
    draw: (random, context) => victim(random, context, (node) => ({ kind: 'lie', node })),
  },
] as const satisfies readonly FaultSource[]

export type FaultSourceName = (typeof SOURCES)[number]['name']
export const FAULT_SOURCES: readonly (FaultSource & { readonly name: FaultSourceName })[] = SOURCES

/** Draws the episodes of a run, in order of time. No two of one kind overlap on one member, link or disk. */
export function drawEpisodes(random: Random, context: EpisodeContext): FaultEpisode[] {
  const drawn: Omit<FaultEpisode, 'id'>[] = []
  const busy = new Map<string, { fromMs: number; untilMs: number }[]>()
  for (const source of FAULT_SOURCES) {
    if (!context.sources.includes(source.name)) continue
    const everyMs = context.electionTimeoutMs * source.everyTimeouts * between(random, 0.5, 2)
    for (let atMs = waitMs(random, everyMs); atMs < context.durationMs; atMs += waitMs(random, everyMs)) {
      const forMs = waitMs(random, context.electionTimeoutMs * source.forTimeouts)
      const fault = source.draw(random, context)
      if (fault === null) continue
      const resource = resourceOf(fault)
      const taken = busy.get(resource) ?? []
      if (taken.some(({ fromMs, untilMs }) => atMs <= untilMs && fromMs <= atMs + forMs)) continue
      busy.set(resource, [...taken, { fromMs: atMs, untilMs: atMs + forMs }])
      drawn.push({ atMs: Math.round(atMs), forMs: Math.max(1, Math.round(forMs)), fault })
    }
  }
  return drawn.sort((a, b) => a.atMs - b.atMs).map((episode, id) => ({ id, ...episode }))
}

const waitMs = (random: Random, meanMs: number): number =>
  drawLatencyMs(random, { shape: 'exponential', minMs: 1, meanMs, maxMs: meanMs * 5 })

function resourceOf(fault: Fault): string {
  switch (fault.kind) {
    case 'link':
      return 'links'
    case 'clog':
      return `clog ${fault.from}>${fault.to}`
    case 'partition':
    case 'block':
    case 'crashAll':
      return fault.kind
    default:
      return `${fault.kind} ${fault.node}`
  }
}
