// Planted bugs in the queue of user code: batches, hooks, queries.

import type { Mutant } from '../mutant.ts'

export const APPLY_MUTANTS: readonly Mutant[] = [
  {
    name: 'log entry lent to the state machine as its position',
    file: 'actors/apply/user-code.ts',
    find: 'this.#machine.apply(command.value, at)',
    replace: 'this.#machine.apply(command.value, entry)',
    expect: ['ERROR', 'INV-5', 'INV-7'],
  },
  {
    name: 'applies go on for as long as there is something',
    file: 'actors/apply/apply-worker.ts',
    find: '    return this.#inSlice >= this.#world.tuning.maxApplyBatch || this.#world.clock.nowMs() >= endMs',
    replace: '    return this.#world.clock.nowMs() < 0 * endMs',
    tests: ['test/simulation/slow-machines.test.ts'],
  },
  {
    name: 'applies go on under a read that takes time',
    file: 'actors/apply/reading.ts',
    find: '    if (this.#underway.size === 0) return false',
    replace: '    if (this.#underway.size >= 0) return false',
    expect: ['INV-16', 'INV-14'],
    hint: { machinePace: { delay: { shape: 'uniform', minMs: 0, maxMs: 5 } } },
  },
  {
    name: 'queries answered from a state that is being replaced',
    file: 'actors/apply/apply-queue.machine.ts',
    find: "        '*': { actions: 'enqueue' },",
    replace: "        '*': { actions: ['enqueue', 'work'] },",
    also: [
      {
        file: 'actors/apply/apply-worker.ts',
        find: '    if (this.#away !== null) return\n    this.#yielded = false',
        replace: '    if (this.#away !== null) return this.#answerDue(Infinity)\n    this.#yielded = false',
      },
    ],
    tests: ['test/host/loading.test.ts'],
  },
  {
    name: 'a state replaced under a query that takes its time',
    file: 'actors/apply/apply-worker.ts',
    find: '    if (task === undefined || this.#reading.holdsApplies()) return false',
    replace:
      "    if (task === undefined || (task.type === 'committed' && this.#reading.holdsApplies())) return false",
    tests: ['test/host/loading.test.ts'],
  },
  {
    name: 'reads wait until everything is applied',
    file: 'actors/apply/apply-worker.ts',
    find: '    if (this.#away === null) this.#answerDue(endMs)\n    this.#tellApplied()',
    replace: '    if (this.#tasks.length === 0) this.#answerDue(endMs)\n    this.#tellApplied()',
    also: [
      {
        file: 'actors/apply/apply-worker.ts',
        find: '    this.#answerDue(startedMs + tuning.maxApplySliceMs / 2)\n',
        replace: '',
      },
    ],
    tests: ['test/simulation/slow-machines.test.ts'],
  },
  {
    name: 'a state looked at when all is applied, and not at its index',
    file: 'actors/apply/state-probes.ts',
    find: 'return [...due.flatMap(inItsPlace), all]',
    replace: 'return [all, ...due.flatMap(inItsPlace)]',
    tests: ['test/host/state-hash.test.ts'],
  },
  {
    name: 'a hash told for an index that a snapshot went past',
    file: 'host/state-hash.ts',
    find: 'else if (applied.index !== wanted) outcome',
    replace: 'else if (applied.index < 0) outcome',
    tests: ['test/host/state-hash.test.ts'],
  },
  {
    name: 'whoever waits for a hash is forgotten when its member ends',
    file: 'actors/node/waiting.ts',
    find: '  for (const settle of [...core.intake.probes.asked]) core.shelter(() => settle({ ok: false, error: unread }))\n',
    replace: '',
    tests: ['test/host/state-hash.test.ts'],
  },
  {
    name: 'any number waits for the hash of a state',
    file: 'host/state-hash.ts',
    find: 'probes.asked.size >= MAX_PENDING',
    replace: 'probes.asked.size >= 9 * MAX_PENDING',
    tests: ['test/host/state-hash.test.ts'],
  },
  {
    name: 'the index where a member stands is waited for',
    file: 'host/state-hash.ts',
    find: 'if (wanted > core.commitIndex)',
    replace: 'if (wanted >= core.commitIndex)',
    tests: ['test/host/state-hash.test.ts'],
  },
]
