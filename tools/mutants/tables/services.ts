// Planted bugs in what members answer to clients and operators.

import type { Mutant } from '../mutant.ts'

export const SERVICES_MUTANTS: readonly Mutant[] = []
