// Planted bugs in what is done to files while no member runs on them.

import type { Mutant } from '../mutant.ts'

const REMOVAL = ['test/offline/remove-group-data.test.ts']
const FORGET = ['test/cli/forget.test.ts']
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
  {
    name: 'whoever is a member by its own files is forgotten without force',
    file: 'offline/remove-group-data.ts',
    find: '    if (!force) refuseIfMember(removal, group)\n',
    replace: '',
    tests: REMOVAL,
  },
  {
    name: 'the files of somebody else are deleted',
    file: 'offline/remove-group-data.ts',
    find: 'if (removal.hostId !== id)',
    replace: "if (removal.hostId === '')",
    tests: REMOVAL,
  },
  {
    name: 'whom the group counts is forgotten',
    file: 'cli/members/forget-command.ts',
    find: '    refuseIfMember(await askGroup(flags), id, group)\n',
    replace: '    await askGroup(flags)\n',
    tests: FORGET,
  },
  {
    name: 'a group that does not answer counts as agreeing',
    file: 'cli/members/forget-command.ts',
    find: '    throw new CliError(ExitCode.NO_LEADER, text)\n',
    replace:
      "    if (text !== '') return { peers: [], oldPeers: [], learners: [], witnesses: [], priorities: {}, index: 0, stage: 'none', leader: null }\n    throw new CliError(ExitCode.NO_LEADER, text)\n",
    tests: FORGET,
  },
  {
    name: 'the note of the group stays in the directory',
    file: 'cli/members/forget-command.ts',
    find: '  await releaseDirectory(dataDir, group)\n',
    replace: '',
    tests: FORGET,
  },
]
