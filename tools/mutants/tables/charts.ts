// Planted bugs in what carries charts out beside XState, and in deferred calls that run together.

import type { Mutant } from '../mutant.ts'

const file = 'actors/quick.ts'
const tests = ['test/actors/quick.test.ts']
const TURNS = { file: 'runtime/turns.ts', tests: ['test/runtime/turns.test.ts'] }

export const CHART_MUTANTS: readonly Mutant[] = [
  {
    name: 'a wildcard is asked before the event itself',
    ...{ file, tests },
    find: '[eventType, ...wildcards.sort((a, b) => b.length - a.length)]',
    replace: '[...wildcards.sort((a, b) => b.length - a.length), eventType]',
  },
  {
    name: 'a state is left without its exit',
    ...{ file, tests },
    find: '...exits.flatMap(({ exit }) => exit), ...actions',
    replace: '...actions',
  },
  {
    name: 'of what needs no event one step is taken',
    ...{ file, tests },
    find: 'at = next.to ?? at',
    replace: 'return now',
  },
  {
    name: 'a state that is to be entered anew is not left',
    ...{ file, tests },
    find: 'const isWithin = !reenter && (',
    replace: 'const isWithin = (',
  },
  {
    name: 'the state around both ends is not looked for',
    ...{ file, tests },
    find: 'isBelow(aim, node) && isBelow(source, node)',
    replace: 'isBelow(aim, node)',
  },
  {
    name: 'what only XState can carry out is left out',
    ...{ file, tests },
    find: '(!step.isPlain || !mayStop(step.to ?? leaf))',
    replace: '!mayStop(step.to ?? leaf)',
  },
  {
    name: 'inspectors are not told of a quick step',
    ...{ file, tests },
    find: "tell({ type: '@xstate.microstep'",
    replace: "void ({ type: '@xstate.microstep'",
  },
  {
    name: 'deferred calls behind one that throws are lost',
    ...TURNS,
    find: 'waiting = [...due.slice(at), ...waiting]',
    replace: 'waiting = [...waiting]',
  },
  {
    name: 'deferred calls behind one that throws wait for another',
    ...TURNS,
    find: 'if (waiting.length === 0) soon(go)',
    replace: '',
  },
  {
    name: 'more deferred calls than run in one go wait for another',
    ...TURNS,
    find: 'if (waiting.length > 0) soon(go)',
    replace: '',
  },
]
