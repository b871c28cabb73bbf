// Planted bugs in the queue of user code: batches, hooks, queries.

import type { Mutant } from '../mutant.ts'

export const APPLY_MUTANTS: readonly Mutant[] = []
