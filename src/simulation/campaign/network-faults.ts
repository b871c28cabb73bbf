// Planned faults of links and connections.

import type { Random } from '../../runtime/random.ts'
import type { MessageKind } from '../bus/message-kind.ts'
import { chance, pick, shuffled } from '../time/sim-random.ts'
import type { DrawContext, FaultSource } from './fault-source.ts'
import type { Fault } from './faults.ts'
import { drawPartition } from './partition-shapes.ts'
import type { Profile } from './profiles.ts'

const NETWORK: readonly Profile[] = ['swarm', 'network', 'membership', 'unsurvivable']

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
  'installSnapshot',
  'installSnapshotAck',
  'getFile',
  'getFileAck',
]

const twoOf = (random: Random, nodes: readonly string[]): [string, string] | null => {
  const [a, b] = shuffled(random, nodes)
  return a === undefined || b === undefined ? null : [a, b]
}

function drawOneWay(random: Random, { nodes }: DrawContext): Fault | null {
  const node = pick(random, nodes)
  const others = nodes.filter((other) => other !== node)
  if (others.length === 0) return null
  const hit = chance(random, 0.5) ? others : [pick(random, others)]
  const isDeaf = chance(random, 0.5)
  return { kind: 'block', links: hit.map((other) => (isDeaf ? [other, node] : [node, other])) }
}

function drawClog(random: Random, { nodes }: DrawContext): Fault | null {
  const pair = twoOf(random, nodes)
  return pair === null ? null : { kind: 'clog', from: pair[0], to: pair[1] }
}

const everyLink = (settings: Extract<Fault, { kind: 'link' }>['settings']): Fault => ({
  kind: 'link',
  from: '*',
  to: '*',
  settings,
})

export const NETWORK_FAULTS = [
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
] as const satisfies readonly FaultSource[]
