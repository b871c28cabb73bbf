// Planted bugs in what stands around a command: sessions.

import type { Mutant } from '../mutant.ts'

const BUS = { via: 'bus' } as const

export const COMMAND_MUTANTS: readonly Mutant[] = [
  {
    name: 'a command of a session is carried out again',
    file: 'rules/session.ts',
    find: "return session.knows(sequence) ? 'repeat' : 'apply'",
    replace: "return 'apply'",
    expect: ['INV-27', 'INV-14'],
    hint: BUS,
  },
]
