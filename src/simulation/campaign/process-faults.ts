// Planned faults of processes and their clocks.

import type { CrashPoint } from '../disk/crash-points.ts'
import { between, chance, pick } from '../time/sim-random.ts'
import type { FaultSource } from './fault-source.ts'
import type { Profile } from './profiles.ts'

const PROCESS: readonly Profile[] = ['swarm', 'network', 'disk', 'clock', 'membership', 'unsurvivable']
const CLOCK: readonly Profile[] = ['swarm', 'clock', 'unsurvivable']

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
  'issued:truncatePrefix',
  'synced:truncatePrefix',
  'issued:reset',
  'synced:reset',
  'capture',
  'load',
  'loaded',
  'begun:create',
  'begun:append',
  'begun:endFile',
  'begun:publish',
  'done:publish',
  'answered:publish',
  'begun:copy',
  'done:copy',
  'begun:put',
  'done:put',
  'begun:leave',
  'begun:openReader',
  'begun:read',
  'done:closeReader',
  'send:installSnapshot',
  'deliver:installSnapshot',
  'send:installSnapshotAck',
  'deliver:installSnapshotAck',
  'send:getFile',
  'deliver:getFile',
  'deliver:getFileAck',
]

export const PROCESS_FAULTS = [
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
] as const satisfies readonly FaultSource[]
