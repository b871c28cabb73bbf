// Planted bugs in what a member makes of the bus's word that nobody listens.

import type { Mutant } from '../mutant.ts'

const RULES = ['test/rules/presence.test.ts']
const WATCH = ['test/transport/rpc/presence.test.ts']
const NODE = ['test/actors/node/node.presence.test.ts']
const COPIES = ['test/embedding/leader-simulation.test.ts']

export const PRESENCE_MUTANTS: readonly Mutant[] = [
  {
    name: 'one answer of the bus is enough',
    file: 'rules/presence.ts',
    find: 'const ENOUGH = 2',
    replace: 'const ENOUGH = 1',
    tests: [...RULES, ...WATCH],
  },
  {
    name: 'an answer of the bus counted though somebody was heard since',
    file: 'rules/presence.ts',
    find: ' && presence.heardMs <= askedMs',
    replace: '',
    tests: RULES,
  },
  {
    name: 'silence of the bus counted as its word',
    file: 'rules/presence.ts',
    find: "const isNews = verdict === 'nobody' &&",
    replace: "const isNews = verdict !== 'there' &&",
    tests: RULES,
  },
  {
    name: 'absence remembered after a lost connection',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: '    if (lost) this.#presence.forget()\n',
    replace: '',
    tests: WATCH,
  },
  {
    name: 'who is back on the bus judges whom it has not heard',
    file: 'rules/presence.ts',
    find: "verdict === 'nobody' && presence.heardMs !== null && presence.heardMs <= askedMs",
    replace: "verdict === 'nobody' && (presence.heardMs ?? 0) <= askedMs",
    tests: RULES,
  },
  {
    name: 'answers of a process do not count as hearing it',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: '    this.#presence.heard(from)\n    const doubt',
    replace: '    const doubt',
    tests: WATCH,
  },
  {
    name: 'evidence used while leases are on',
    file: 'rules/presence.ts',
    find: 'return absent && !leasesOn && lease',
    replace: 'return absent && lease',
    tests: RULES,
  },
  {
    name: 'a leader watched while leases are on',
    file: 'actors/node/node.presence.ts',
    find: '  if (core.tuning.leaderLease) return\n',
    replace: '',
    tests: NODE,
  },
  {
    name: 'all followers stand at once',
    file: 'rules/presence.ts',
    find: 'isReadonly ? order.length : at',
    replace: 'isReadonly ? order.length : 0',
    tests: RULES,
  },
  {
    name: 'a pre-vote granted without evidence of the own',
    file: 'rules/presence.ts',
    find: 'voter.heardRecently && !voter.knownToBeGone',
    replace: 'voter.heardRecently && voter.knownToBeGone',
    tests: NODE,
  },
  {
    name: 'evidence of the voter ignored',
    file: 'rules/presence.ts',
    find: 'voter.heardRecently && !voter.knownToBeGone',
    replace: 'voter.heardRecently',
    tests: NODE,
  },
  {
    name: 'a leader watched by whoever leads now',
    file: 'actors/node/node.leader.ts',
    find: '  stopWatching(core)\n',
    replace: '',
    tests: NODE,
  },
  {
    name: 'a copy on the leader begun while an earlier leader may count on its time',
    file: 'rules/tenure.ts',
    find: '  return sinceMs + electionTimeoutMs + maxClockDriftMs',
    replace: '  return sinceMs',
    tests: COPIES,
  },
  {
    name: 'a copy on the leader begun late although the earlier one has answered',
    file: 'actors/node/node.tenure.ts',
    find: 'const isSettled = leaderBefore === id || answered',
    replace: 'const isSettled = leaderBefore === id && answered',
    tests: COPIES,
  },
]
