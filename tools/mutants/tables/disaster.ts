// Planted bugs in forcing who the members are.

import type { Mutant } from '../mutant.ts'

const BY_THE_RULES = ['test/rules/disaster.test.ts']
const BY_THE_MEMBER = ['test/actors/node/node.reset.test.ts']

export const DISASTER_MUTANTS: readonly Mutant[] = [
  {
    name: 'the old half of a joint configuration still decides after a reset',
    file: 'rules/disaster.ts',
    find: '    ...{ peers: [...peers], oldPeers: [] },\n',
    replace: '    ...{ peers: [...peers], oldPeers: configuration.oldPeers },\n',
    tests: BY_THE_RULES,
  },
  {
    name: 'a member that is told who the members are stays a stranger by its files',
    file: 'rules/disaster.ts',
    find: '  if (identity !== 0) identities[self] = identity\n',
    replace: '',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'a member that must not lead is told to lead alone',
    file: 'rules/disaster.ts',
    find: '  if (priorities[self] === 0) delete priorities[self]\n',
    replace: '',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'members are forced while a leader changes them',
    file: 'rules/disaster.ts',
    find: "  if (changing) return { kind: 'busy', why: 'a change of the members runs' }\n",
    replace: '',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'what is written while nobody runs is of a term that others may have led in',
    file: 'rules/disaster.ts',
    find: 'const FAR_TERMS = 2 ** 20',
    replace: 'const FAR_TERMS = 1',
    tests: BY_THE_RULES,
  },
  {
    name: 'members are forced in the term of the leader that is gone',
    file: 'actors/node/node.term.ts',
    find: "  if (event.type === 'reset') return core.term + 1\n",
    replace: '',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'a reset is called done before it is on disk',
    file: 'actors/node/node.forced.ts',
    find: '  if (entry === null || entry > log.durableIndex) return\n',
    replace: '  if (entry === null) return\n',
    also: [
      {
        file: 'actors/node/node.machine.ts',
        find: "'welcomeFollowers', 'enterLeader', 'appendFirstEntry', 'tellLeading'],",
        replace: "'welcomeFollowers', 'enterLeader', 'appendFirstEntry', 'tellLeading', 'settleReset'],",
      },
    ],
    tests: BY_THE_MEMBER,
  },
  {
    name: 'an older log that is put right brings down what was forced',
    file: 'actors/node/node.forced.ts',
    find: '  if (isNews && isOverruled(forced.since, newest)) return false\n',
    replace: '  if (isNews) return false\n',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'the own snapshot brings down what was forced',
    file: 'actors/node/node.forced.ts',
    find: '  if (isNews && isOverruled(forced.since, newest)) return false\n',
    replace: '  if (isOverruled(forced.since, newest)) return false\n',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'who was forced stands for election by the log',
    file: 'actors/node/node.configuration.ts',
    find: 'configuration.id.index > 0 && membership.reset.forced === null',
    replace: 'configuration.id.index > 0',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'whoever waits for a reset is told nothing when others lead',
    file: 'actors/node/node.forced.ts',
    find: "  settleWaiting(core, refused(core, 'CONFLICT', 'a leader of other members lives, and was followed'))\n",
    replace: '',
    tests: BY_THE_MEMBER,
  },
  {
    name: 'members of another group are forced than the one that was named',
    file: 'services/admin-desk.ts',
    find: 'if (request.confirm !== node.group) {',
    replace: 'if (request.confirm === undefined) {',
    tests: ['test/services/admin.test.ts'],
  },
  {
    name: 'files are recovered without the name of the group',
    file: 'cli/forced-plan.ts',
    find: '  if (force === true && typed === group) return\n',
    replace: '  if (force === true) return\n',
    tests: ['test/cli/disaster.test.ts'],
    testName: 'is told who the members are',
  },
  {
    name: 'a log that its member would throw away is recovered',
    file: 'cli/recover/stopped-group.ts',
    find: "reconcileLog(log, snapshot.id) === 'reset'",
    replace: "reconcileLog(log, snapshot.id) !== 'reset' && log.lastIndex < 0",
    tests: ['test/cli/disaster.test.ts'],
    testName: 'are refused when they are no files',
  },
]
