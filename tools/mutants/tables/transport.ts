// Planted bugs in bytes, frames, subjects and calls between members.

import type { Mutant } from '../mutant.ts'

export const TRANSPORT_MUTANTS: readonly Mutant[] = []
