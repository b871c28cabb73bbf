// Planted bugs in what is on disk: order and truth of syncs, opening and closing, limits.

import type { Mutant } from '../mutant.ts'

export const STORAGE_MUTANTS: readonly Mutant[] = []
