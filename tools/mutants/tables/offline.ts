// Planted bugs in what is done to files while no member runs on them.

import type { Mutant } from '../mutant.ts'

const BOOTSTRAP = ['test/offline/bootstrap.test.ts']

export const OFFLINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'a group begins over another one',
    file: 'offline/bootstrap.ts',
    find: 'hardState === null && firstIndex === 1 && lastIndex === 0 && snapshots.newest === null',
    replace: 'firstIndex === 1 && lastIndex === 0 && snapshots.newest === null',
    tests: BOOTSTRAP,
    also: [
      {
        file: 'offline/bootstrap.ts',
        find: '    ended((done) => store.append([first], done)),\n',
        replace: '',
      },
    ],
  },
  {
    name: 'the log of a bootstrapped group begins at 1',
    file: 'offline/bootstrap.ts',
    find: 'const first = { index: lastIndex + 1,',
    replace: 'const first = { index: 1,',
    tests: BOOTSTRAP,
  },
  {
    name: 'what could not be saved is a state all the same',
    file: 'offline/bootstrap.ts',
    find: '(error === null ? resolve() : reject(error))',
    replace: 'resolve()',
    tests: BOOTSTRAP,
    also: [
      {
        file: 'offline/bootstrap.ts',
        find: '    await written(save, meta, machine)\n',
        replace: '    await written(save, meta, machine).catch(() => {})\n',
      },
    ],
  },
  {
    name: 'a group begins in the files of somebody else',
    file: 'offline/bootstrap.ts',
    find: 'if (!peers.includes(id)) throw',
    replace: 'if (peers.length === 0) throw',
    tests: BOOTSTRAP,
  },
]
