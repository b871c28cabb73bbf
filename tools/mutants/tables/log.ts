// Planted bugs in the log in memory: its tail, its terms, its configurations.

import type { Mutant } from '../mutant.ts'

export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'term before the first run taken from the first',
    file: 'log/term-runs.ts',
    find: '    return this.#runs[this.#countWhile((run) => run.firstIndex <= index) - 1]',
    replace: '    return this.#runs[Math.max(1, this.#countWhile((run) => run.firstIndex <= index)) - 1]',
    tests: ['test/log/term-runs.test.ts'],
  },
]
