// What the column `identities` of a snapshot holds: all of its configuration but the names of the voters, and whether it
// is without files.

import type { Identities, PeerId, SnapshotMeta } from '../../../rules/types.ts'

const PARTS = ['identities', 'newcomers', 'learners', 'witnesses', 'priorities', 'withheld'] as const

export function columnOf(meta: Omit<SnapshotMeta, 'lastIncludedIndex' | 'lastIncludedTerm'>): string {
  return JSON.stringify(PARTS.map((part) => meta[part] ?? null))
}

/** Of an earlier version the last ones are missing. */
export function configurationTail(column: string): Pick<SnapshotMeta, (typeof PARTS)[number]> {
  const values: readonly (Identities | readonly PeerId[] | true | null)[] = JSON.parse(column)
  const named = PARTS.map((part, at) => [part, values[at] ?? null] as const)
  return Object.fromEntries(named.filter(([, value]) => value !== null))
}
