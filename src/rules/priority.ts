// Who should lead when several could: the voter of the highest priority that is up to date. Priority 0 never leads; if no
// other voter is left, nobody does.

import { isWitness, members, priorityOf } from './quorum.ts'
import type { Heir } from './transfer.ts'
import type { Configuration, LogIndex, PeerId } from './types.ts'

/** Further down than this nobody waits longer: a group whose best members are gone must not stay without a leader. */
const MOST_STEPS = 2

/**
 * How much longer a follower waits before it stands for election, so that those above it stand first: one random part for
 * each priority above its own, two at most. The leader that was lost does not count, for it is not there.
 *
 * @param spreadMs the largest random part of the election timer
 */
export function standAsideMs(
  configuration: Configuration,
  self: PeerId,
  lostLeader: PeerId | null,
  spreadMs: number,
): number {
  const own = priorityOf(configuration, self)
  const above = members(configuration)
    .filter((peer) => peer !== lostLeader && !isWitness(configuration, peer))
    .map((peer) => priorityOf(configuration, peer))
    .filter((priority) => priority > own)
  return Math.min(new Set(above).size, MOST_STEPS) * (spreadMs + 1)
}

export interface PreferenceSituation {
  readonly configuration: Configuration
  readonly self: PeerId
  readonly commitIndex: LogIndex
  readonly heirs: readonly Heir[]
  readonly electionTimeoutMs: number
}

/** The follower that should lead in this leader's place now; null: nobody. Among equals the first by name. */
export function preferredLeader(situation: PreferenceSituation): PeerId | null {
  const { configuration, self, commitIndex, heirs, electionTimeoutMs } = situation
  const own = priorityOf(configuration, self)
  const voters = members(configuration)
  const fit = heirs.filter(
    ({ peer, counts, consecutiveErrors, silentMs, matchIndex, isReadonly }) =>
      voters.includes(peer) &&
      !isWitness(configuration, peer) &&
      priorityOf(configuration, peer) > own &&
      counts &&
      !isReadonly &&
      consecutiveErrors === 0 &&
      silentMs <= electionTimeoutMs &&
      matchIndex >= commitIndex,
  )
  const best = [...fit].sort(
    (a, b) =>
      priorityOf(configuration, b.peer) - priorityOf(configuration, a.peer) || (a.peer < b.peer ? -1 : 1),
  )
  return best[0]?.peer ?? null
}

/** What a leader remembers from one look to the next, an election timeout later. */
export interface Preference {
  readonly peer: PeerId | null
  /** Looks in a row that found this one. */
  readonly looks: number
  /** Transfers in a row that came to nothing. */
  readonly failures: number
}

export const NO_PREFERENCE: Preference = { peer: null, looks: 0, failures: 0 }

/** Looks for which somebody has to be the best before leadership moves; twice as many after each failure. */
const STEADY_LOOKS = 3
const MOST_DOUBLINGS = 5

/** One more look. Leadership moves when the same one was found often enough. */
export function looked(
  { peer, looks, failures }: Preference,
  found: PeerId | null,
): { readonly preference: Preference; readonly transferTo: PeerId | null } {
  if (found === null) return { preference: { peer: null, looks: 0, failures }, transferTo: null }
  const inARow = found === peer ? looks + 1 : 1
  const needed = STEADY_LOOKS * 2 ** Math.min(failures, MOST_DOUBLINGS)
  if (inARow < needed) return { preference: { peer: found, looks: inARow, failures }, transferTo: null }
  return { preference: { peer: found, looks: 0, failures }, transferTo: found }
}

/** The transfer came to nothing: the next one takes twice as long to come. */
export function disappointed(preference: Preference): Preference {
  return { ...preference, looks: 0, failures: preference.failures + 1 }
}
