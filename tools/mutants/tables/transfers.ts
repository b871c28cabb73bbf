// Planted bugs in moving leadership on purpose.

import type { Mutant } from '../mutant.ts'

const BY_THE_LEADER = ['test/actors/node/node.transfer.test.ts']

export const TRANSFER_MUTANTS: readonly Mutant[] = [
  {
    name: 'lease not cleared at elect-now (second half)',
    number: 7,
    file: 'actors/node/node.reads.ts',
    find: 'office === null || office.transfer !== null || !isEstablished(core)',
    replace: 'office === null || !isEstablished(core)',
    tests: BY_THE_LEADER,
  },
  {
    name: 'a lease goes on after a transfer that came to nothing',
    file: 'actors/node/node.transfer.ts',
    find: '  office.leaseSinceMs = core.clock.nowMs()\n',
    replace: '',
    tests: BY_THE_LEADER,
  },
  {
    name: 'the target is told to campaign before it has the log',
    file: 'rules/transfer.ts',
    find: 'return matchIndex >= lastIndex && commitIndex >= lastIndex',
    replace: 'return matchIndex >= 0 * lastIndex && commitIndex >= 0 * lastIndex',
    tests: ['test/scenarios/scenarios.test.ts'],
    testName: 'transfer-waits-for-the-log',
  },
  {
    name: 'the target is told to campaign before everything is committed',
    file: 'rules/transfer.ts',
    find: 'matchIndex >= lastIndex && commitIndex >= lastIndex',
    replace: 'matchIndex >= lastIndex',
    tests: BY_THE_LEADER,
  },
  {
    name: 'commands are taken while leadership moves',
    file: 'actors/node/node.machine.ts',
    find: "              on: { propose: { actions: 'refuseProposals' }, change: { actions: 'refuseChange' } },\n",
    replace: '',
    tests: BY_THE_LEADER,
  },
  {
    name: 'a transfer that comes to nothing never ends',
    file: 'actors/node/node.machine.ts',
    find: "              after: { electionTimeout: { target: 'serving', actions: 'resumeOffice' } },\n",
    replace: '',
    tests: BY_THE_LEADER,
  },
  {
    name: 'leadership is resumed without telling the user',
    file: 'actors/node/node.transfer.ts',
    find: "  core.toApplyQueue({ type: 'leaderStart', term: core.term })\n",
    replace: '',
    tests: BY_THE_LEADER,
  },
  {
    name: 'the user is told twice that leadership has ended',
    file: 'actors/node/node.stepdown.ts',
    find: 'if (office.transfer === null) core.toApplyQueue',
    replace: 'core.toApplyQueue',
    tests: BY_THE_LEADER,
  },
  {
    name: 'the lease of the old leader is void as soon as one stands on its word',
    file: 'actors/node/node.transfer.ts',
    find: 'const request = { term, oldLeaderSteppedDown: false }',
    replace: 'const request = { term, oldLeaderSteppedDown: true }',
    tests: BY_THE_LEADER,
  },
  {
    name: 'a transfer sets the voters free while the old leader leads',
    file: 'actors/node/node.transfer.ts',
    find: 'const request = { term, oldLeaderSteppedDown: false }',
    replace: 'const request = { term, oldLeaderSteppedDown: true }',
    expect: ['INV-15'],
    hint: { profile: 'membership', nodes: 5, tuning: { leaderLease: true } },
  },
  {
    name: 'whoever asked for a transfer is forgotten when the node ends',
    file: 'actors/node/waiting.ts',
    find: "  for (const settle of [...core.handover.asked])\n    core.shelter(() => settle({ ok: false, error: error('unknown', '') }))\n",
    replace: '',
    tests: BY_THE_LEADER,
  },
]
