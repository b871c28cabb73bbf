// Planned faults of disks.

import type { Random } from '../../runtime/random.ts'
import type { FailPoint } from '../disk/disk-faults.ts'
import type { Damage, StoreName } from '../disk/disk-image.ts'
import { chance, pick } from '../time/sim-random.ts'
import type { DrawContext, FaultSource } from './fault-source.ts'
import type { Fault } from './faults.ts'
import type { Profile } from './profiles.ts'

const DISK: readonly Profile[] = ['swarm', 'disk', 'unsurvivable']
const UNSURVIVABLE: readonly Profile[] = ['unsurvivable']

const victim = (random: Random, { victims }: DrawContext, make: (node: string) => Fault): Fault | null =>
  victims.length === 0 ? null : make(pick(random, victims))

export const DISK_FAULTS = [
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
      store: pick<StoreName>(random, ['log', 'meta', 'snapshot', 'snapshot']),
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
        store: pick<StoreName>(random, ['meta', 'log', 'log', 'snapshot']),
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
