// Planted bugs in the queue of user code: batches, hooks, queries.

import type { Mutant } from '../mutant.ts'

export const APPLY_MUTANTS: readonly Mutant[] = [
  {
    name: 'log entry lent to the state machine as its position',
    file: 'actors/apply/user-code.ts',
    find: '  apply({ index, term, data }: LogEntry, later: Later): Returned | null {\n    const command = decodeValue(data)',
    replace:
      '  apply(entry: LogEntry, later: Later): Returned | null {\n    const command = decodeValue(entry.data)',
    also: [
      {
        file: 'actors/apply/user-code.ts',
        find: 'this.#machine.apply(command.value, { index, term })',
        replace: 'this.#machine.apply(command.value, entry)',
      },
    ],
    expect: ['ERROR', 'INV-5', 'INV-7'],
  },
]
