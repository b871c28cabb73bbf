// Planted bugs in taking one group out of a data directory.

import type { Mutant } from '../mutant.ts'

const REMOVAL = ['test/storage/group-removal.test.ts']
const REMOVAL_FILE = 'storage/sqlite/group-removal.ts'

export const GROUP_REMOVAL_MUTANTS: readonly Mutant[] = [
  {
    name: 'a removed group takes the groups after it along',
    file: REMOVAL_FILE,
    find: 'new LogTable(this.#db).delete(number, 0, MAX_INDEX)',
    replace: 'new LogTable(this.#db).delete(number, 0, MAX_INDEX + 1 + 150)',
    tests: REMOVAL,
  },
  {
    name: 'a removed group leaves its entries behind',
    file: REMOVAL_FILE,
    find: '      new LogTable(this.#db).delete(number, 0, MAX_INDEX)\n',
    replace: '',
    tests: REMOVAL,
  },
  {
    name: 'a removed group leaves its identity behind',
    file: REMOVAL_FILE,
    find: "['identities', 'meta']",
    replace: "['meta']",
    tests: REMOVAL,
  },
  {
    name: 'the log goes before the snapshots',
    file: REMOVAL_FILE,
    find: '    if (this.#snapshots !== null) yield* removeSnapshots(this.#snapshots, group)\n',
    replace: '',
    also: [
      {
        file: REMOVAL_FILE,
        find: '    yield\n    this.#giveBack()\n',
        replace:
          '    yield\n    if (this.#snapshots !== null) yield* removeSnapshots(this.#snapshots, group)\n    this.#giveBack()\n',
      },
    ],
    tests: REMOVAL,
  },
  {
    name: 'the snapshots of every group go',
    file: REMOVAL_FILE,
    find: "db.prepare('DELETE FROM snapshots WHERE group_name = ?').run(group)",
    replace: "db.prepare('DELETE FROM snapshots WHERE group_name >= ?').run(group)",
    also: [
      {
        file: REMOVAL_FILE,
        find: "'SELECT snapshot_id FROM snapshots WHERE group_name = ?'",
        replace: "'SELECT snapshot_id FROM snapshots WHERE group_name >= ?'",
      },
    ],
    tests: REMOVAL,
  },
  {
    name: 'what is removed keeps its space',
    file: REMOVAL_FILE,
    find: "      this.#db.exec('VACUUM')\n",
    replace: '',
    tests: REMOVAL,
  },
  {
    name: 'a removed snapshot keeps its space',
    file: REMOVAL_FILE,
    find: "      this.#snapshots?.pragma('incremental_vacuum')\n",
    replace: '',
    tests: REMOVAL,
  },
  {
    name: 'a group is removed under a running member',
    file: REMOVAL_FILE,
    find: '      this.#lock = lockDataDirectory(dataDir)\n',
    replace: "      this.#lock = new Database(':memory:')\n",
    tests: REMOVAL,
  },
]
