// Planted bugs in priorities, and in elections that somebody asks for.

import type { Mutant } from '../mutant.ts'

const ON_ONE_MEMBER = ['test/actors/node/node.timing.test.ts']

export const PRIORITY_MUTANTS: readonly Mutant[] = [
  {
    name: 'priority 0 campaigns',
    file: 'rules/election.ts',
    find: ' &&\n    priorityOf(situation.configuration, situation.self) > 0',
    replace: '',
    tests: ON_ONE_MEMBER,
  },
  {
    name: 'priority 0 campaigns when it is told to',
    file: 'actors/node/node.timeout-now.ts',
    find: '!keepsNoData(core) && priorityOf(core.configuration, core.id) > 0',
    replace: '!keepsNoData(core) && priorityOf(core.configuration, core.id) >= 0',
    tests: ON_ONE_MEMBER,
  },
  {
    name: 'nobody stands aside for a higher priority',
    file: 'rules/priority.ts',
    find: 'MOST_STEPS) * (spreadMs + 1)',
    replace: 'MOST_STEPS) * 0 * spreadMs',
    tests: ON_ONE_MEMBER,
  },
  {
    name: 'leadership moves again and again to one who does not take it',
    file: 'rules/priority.ts',
    find: 'failures: preference.failures + 1 }',
    replace: 'failures: preference.failures }',
    tests: ON_ONE_MEMBER,
  },
  {
    name: 'equal priorities move leadership',
    file: 'rules/priority.ts',
    find: 'priorityOf(configuration, peer) > own &&',
    replace: 'priorityOf(configuration, peer) >= own &&',
    tests: ON_ONE_MEMBER,
  },
  {
    name: 'an election that was asked for honors every lease',
    file: 'actors/node/node.timing.ts',
    find: 'core.candidacy.triggered = true',
    replace: 'core.candidacy.triggered = false',
    tests: ON_ONE_MEMBER,
  },
  {
    name: 'an election that was asked for makes all later ones ignore leases',
    file: 'actors/node/node.election.ts',
    find: '  core.candidacy.triggered = false\n',
    replace: '',
    tests: ON_ONE_MEMBER,
  },
  {
    name: 'a shorter timeout shortens what others rely on',
    file: 'rules/timing.ts',
    find: 'maxClockDriftMs: sumMs - electionTimeoutMs',
    replace: 'maxClockDriftMs: timing.maxClockDriftMs',
    tests: ['test/rules/timing.test.ts'],
  },
]
