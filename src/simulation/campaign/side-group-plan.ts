// Groups that share their processes with the one that is looked at: how many, and how idle. Most have nothing to say for long, for
// those are the ones that sleep.

import type { TuningInput } from '../../options.ts'
import { type Random, randomInt } from '../../runtime/random.ts'
import { chance, type Latency, pick, streamOf } from '../time/sim-random.ts'
import type { Profile } from './profiles.ts'

export interface SideGroupPlan {
  readonly name: string
  /** How often somebody writes to it; null: never. */
  readonly everyMs: number | null
}

const MOST = 4

export function drawSideGroups(random: Random, profile: Profile, electionTimeoutMs: number): SideGroupPlan[] {
  if (profile !== 'groups') return []
  return Array.from({ length: randomInt(random, 1, MOST) }, (_, at) => {
    const timeouts = pick(random, [null, null, 0.2, 5, 20])
    return { name: `side${at + 1}`, everyMs: timeouts === null ? null : timeouts * electionTimeoutMs }
  })
}

/** With leases nobody sleeps: most groups are without. */
export function sleepy<T extends TuningInput>(seed: number, profile: Profile, tuning: T): T {
  if (profile !== 'groups' || chance(streamOf(seed, 'sleepy'), 0.15)) return tuning
  return { ...tuning, leaderLease: false }
}

/** The group that is looked at is idle for long, too. */
export function idling<T extends { readonly count: number; readonly think: Latency }>(
  seed: number,
  profile: Profile,
  clients: T,
  electionTimeoutMs: number,
): T {
  if (profile !== 'groups') return clients
  const random = streamOf(seed, 'idling')
  const meanMs = electionTimeoutMs * pick(random, [0.1, 3, 15, 60])
  const count = pick(random, [1, 1, clients.count])
  return { ...clients, count, think: { shape: 'exponential', minMs: 0, meanMs, maxMs: 120_000 } }
}
