// Planted bugs in what applications of XState actors get: a node as an actor, and one copy of an actor on the leader.

import type { Mutant } from '../mutant.ts'

const HELD = ['test/embedding/raft-node.test.ts']
const COPIES = ['test/embedding/run-as-leader.test.ts']
const SIMULATED = ['test/embedding/leader-simulation.test.ts']

export const EMBEDDING_MUTANTS: readonly Mutant[] = [
  {
    name: 'a node is not closed when its parent stops',
    file: 'embedding/raft-session.ts',
    find: '    await node?.close()\n',
    replace: '    await Promise.resolve(node)\n',
    tests: HELD,
    testName: 'is closed when the machine stops',
  },
  {
    name: 'the next node of a group does not wait for the one before it',
    file: 'embedding/raft-session.ts',
    find: '      await closings.get(host)?.get(options.group)\n',
    replace: '',
    tests: HELD,
    testName: 'is closed in order when the state is left',
  },
  {
    name: 'who asked before the node had started is forgotten',
    file: 'embedding/raft-session.ts',
    find: '    for (const call of this.#early.splice(0)) void this.#carryOut(node, call)\n',
    replace: '',
    tests: HELD,
    testName: 'says how it gets on',
  },
  {
    name: 'a node that could not be started leaves its actor running',
    file: 'embedding/raft-session.ts',
    find: '      this.#ending = { error: toError(error) }\n',
    replace: '',
    tests: HELD,
    testName: 'fails its actor when it cannot be started',
  },
  {
    name: 'the copy on the leader is stopped too late',
    file: 'rules/tenure.ts',
    find: 'const stopAtMs = untilMs - marginMs',
    replace: 'const stopAtMs = untilMs + 20 * marginMs',
    tests: SIMULATED,
  },
  {
    name: 'the token of a copy is not higher than that of the one before it',
    file: 'embedding/leader-copy.ts',
    find: 'run: ++this.#runs }',
    replace: 'run: Math.min(1, ++this.#runs) }',
    tests: COPIES,
    testName: 'a copy that ends by itself',
  },
  {
    name: 'two copies after leadership went and came back',
    file: 'embedding/leader-copy.ts',
    find: '  lost(): void {\n    this.#halt()\n',
    replace: '  lost(): void {\n    this.#running = null\n',
    also: [
      {
        file: 'embedding/leader-copy.ts',
        find: '      if (holds()) return false\n',
        replace: '      if (holds() || !this.#isCurrent(token)) return false\n',
      },
    ],
    tests: SIMULATED,
    testName: 'is never two, whatever is done to leaders',
  },
  {
    name: 'a copy that slept takes one more step',
    file: 'embedding/guarded.ts',
    find: '(expired() ? undefined : run())',
    replace: '(expired() ? run() : run())',
    also: [
      {
        file: 'embedding/guarded.ts',
        find: "event.type !== 'xstate.stop' && expired() ? snapshot :",
        replace: "event.type === 'xstate.stop' && expired() ? snapshot :",
      },
    ],
    tests: SIMULATED,
    testName: 'takes no step when its process wakes up too late',
  },
  {
    name: 'leadership is given away while the copy is finishing',
    file: 'host/node-intake.ts',
    find: '      if (isHeld && transferStarts(',
    replace: '      if (!isHeld && transferStarts(',
    tests: COPIES,
    testName: 'has time to finish',
  },
]
