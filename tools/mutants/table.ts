// Every planted bug, and those of the list that have no place yet.

import { COMPLETION_MUTANTS } from './completions.ts'
import { ELECTION_MUTANTS } from './elections.ts'
import type { DeferredMutant, Mutant } from './mutant.ts'
import { REPLICATION_MUTANTS } from './replication.ts'

export const MUTANTS: readonly Mutant[] = [
  ...ELECTION_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...COMPLETION_MUTANTS,
].sort((a, b) => (a.number ?? 99) - (b.number ?? 99))

export const DEFERRED: readonly DeferredMutant[] = [
  {
    name: 'lease not cleared at elect-now (second half)',
    number: 7,
    reason: 'No transfer of leadership yet: elect-now is sent only by a leader that leaves.',
  },
  {
    name: 'snapshot stores the uncommitted configuration',
    number: 10,
    reason: 'No snapshots yet: nothing can be changed to store it.',
  },
  {
    name: 'log prefix dropped before the snapshot is durable',
    number: 11,
    reason: 'No snapshots yet: no prefix is ever dropped.',
  },
]
