// What the column `identities` of a snapshot holds: all of its configuration but the names of the voters.

import type { Configuration, Identities, PeerId } from '../../../rules/types.ts'

const PARTS = ['identities', 'newcomers', 'learners', 'witnesses', 'priorities'] as const

export function columnOf(configuration: Configuration): string {
  return JSON.stringify(PARTS.map((part) => configuration[part] ?? null))
}

/** Of an earlier version the last ones are missing. */
export function configurationTail(column: string): Omit<Configuration, 'peers' | 'oldPeers'> {
  const values: readonly (Identities | readonly PeerId[] | null)[] = JSON.parse(column)
  const named = PARTS.map((part, at) => [part, values[at] ?? null] as const)
  return Object.fromEntries(named.filter(([, value]) => value !== null))
}
