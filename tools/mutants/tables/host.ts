// Planted bugs in hosts and handles: opening, work taken or refused, closing.

import type { Mutant } from '../mutant.ts'

export const HOST_MUTANTS: readonly Mutant[] = []
