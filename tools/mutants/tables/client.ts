// Planted bugs in what a client remembers, whom it asks and what it tells its caller.

import type { Mutant } from '../mutant.ts'

export const CLIENT_MUTANTS: readonly Mutant[] = []
