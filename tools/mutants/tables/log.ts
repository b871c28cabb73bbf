// Planted bugs in the log in memory: its tail, its terms, its configurations.

import type { Mutant } from '../mutant.ts'

export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'term before the first run taken from the first',
    file: 'log/term-runs.ts',
    find: '    return run !== undefined && run.firstIndex <= index ? run.term : 0',
    replace: '    return run !== undefined ? run.term : 0',
    tests: ['test/log/term-runs.test.ts'],
  },
]
