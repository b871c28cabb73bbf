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
  {
    name: 'entries leave memory before they are durable',
    file: 'log/raft-log.ts',
    find: '    this.#tail.trim(this.#durableIndex, maxBytes + this.#undurableBytes)',
    replace: '    this.#tail.trim(this.#lastIndex, maxBytes)',
    tests: ['test/log/raft-log.test.ts'],
  },
  {
    name: 'an empty fetch passed on where entries should be',
    file: 'log/raft-log.ts',
    find: '    const isGone = result.kind ===',
    replace: '    const isGone = from < 0 && result.kind ===',
    tests: ['test/log/raft-log.test.ts'],
  },
  {
    name: 'entries in memory fetched as well',
    file: 'log/raft-log.ts',
    find: 'Math.max(1, Math.min(maxEntries, this.#tail.firstIndex - from))',
    replace: 'Math.max(1, Math.min(maxEntries, this.#lastIndex - from))',
    tests: ['test/log/raft-log.test.ts'],
  },
  {
    name: 'the entry before the first forgotten in a search by term',
    file: 'log/raft-log.ts',
    find: '    return before <= limit && this.#termBeforeFirst <= term ? before : 0',
    replace: '    return before < limit && this.#termBeforeFirst < term ? before : 0',
    tests: ['test/log/raft-log.test.ts'],
  },
  {
    name: 'an append called durable when it is asked for',
    file: 'actors/log.machine.ts',
    find: '      const write = log.append(event.entries)',
    replace: '      const write = log.append(event.entries)\n      log.markDurable(write)',
    expect: ['INV-11', 'INV-8', 'INV-2', 'INV-19', 'INV-22'],
  },
  {
    name: 'a truncation in memory only',
    file: 'actors/log.machine.ts',
    find: '      port.store.truncateSuffix(event.lastKept, (error) => {',
    replace: '      if (event.lastKept < 0) port.store.truncateSuffix(event.lastKept, (error) => {',
    tests: ['test/actors/node/node.follower.test.ts'],
  },
  {
    name: 'a failed truncation passed over',
    file: 'actors/log.machine.ts',
    find: '        if (error !== null) fail(self, error)\n      })',
    replace: '        if (error !== null) return\n      })',
    tests: ['test/actors/node/node.follower.test.ts', 'test/actors/small-actors.test.ts'],
  },
  {
    name: 'a store that opens too late is left open',
    file: 'actors/log.machine.ts',
    find: '        else if (result.ok) result.store.close(() => {})',
    replace: '',
    tests: ['test/actors/node/node.initialization.test.ts', 'test/actors/small-actors.test.ts'],
  },
  {
    name: 'a closed log still counts in the memory of all',
    file: 'runtime/cache-budget.ts',
    find: '        if (hasLeft) return\n',
    replace: '',
    tests: ['test/log/raft-log.test.ts'],
  },
  {
    name: 'the busiest gives way first',
    file: 'runtime/cache-budget.ts',
    find: '        this.#keepers.delete(keeper)\n        if (bytes > 0)',
    replace: '        if (bytes > 0)',
    tests: ['test/runtime/cache-budget.test.ts'],
  },
]
