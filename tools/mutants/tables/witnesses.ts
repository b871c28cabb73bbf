// Planted bugs of witnesses.

import type { Hint, Mutant } from '../mutant.ts'

const RULES = ['test/rules/witness.test.ts']
const SCRIPT = { tests: ['test/scenarios/scenarios.test.ts'], testName: 'witness-keeps' }
const CHANGES: Hint = { profile: 'membership', changes: true, nodes: 3, via: 'calls' }

export const WITNESS_MUTANTS: readonly Mutant[] = [
  {
    name: 'a witness stands for election',
    file: 'rules/election.ts',
    find: '    !situation.lacksPayload &&\n    !isWitness(situation.configuration, situation.self) &&\n',
    replace: '',
    expect: ['INV-26'],
    hint: CHANGES,
  },
  {
    name: 'a witness is sent what it must not keep',
    file: 'rules/witness.ts',
    find: 'entry.type === EntryType.DATA ? { ...entry',
    replace: 'entry.type === EntryType.NO_OP ? { ...entry',
    expect: ['INV-26'],
    hint: CHANGES,
  },
  {
    name: 'everybody is sent what is for witnesses',
    file: 'actors/replication/replicator.actions.ts',
    find: 'progress.isWitness ? withhold(some, progress.tellableIndex) : some',
    replace: 'withhold(some, core.log.durableIndex)',
    expect: ['INV-26', 'INV-7', 'INV-0', 'INV-20', 'INV-14'],
    hint: CHANGES,
  },
  {
    name: 'files without payload lead who has them by another name',
    file: 'actors/snapshot/payload.ts',
    find: 'return withheldIndex(holder) > 0',
    replace: 'return withheldIndex(holder) < 0',
    ...SCRIPT,
  },
  {
    name: 'a witness is told of what its leader may still lose',
    file: 'rules/witness.ts',
    find: 'index <= tellable',
    replace: 'index <= tellable + 1000',
    tests: RULES,
  },
  {
    name: 'a leader that leaves tells a witness what nobody who stays has',
    file: 'rules/witness.ts',
    find: 'Math.min(durableIndex, Math.max(0, ...holders.map(matchOf)))',
    replace: 'durableIndex',
    tests: RULES,
  },
  {
    name: 'a witness is sent the files of a snapshot',
    file: 'actors/replication/offering.ts',
    find: 'const withheld = progress.isWitness',
    replace: 'const withheld = progress.matchIndex < 0',
    ...SCRIPT,
  },
  {
    name: 'files without payload take data',
    file: 'rules/witness.ts',
    find: 'if (!lacksPayload) return null',
    replace: 'if (lacksPayload) return null',
    tests: RULES,
  },
  {
    name: 'who has the files of a witness is taken in as one that holds data',
    file: 'rules/change.ts',
    find: "  if (empty.length > 0) return { kind: 'failed', why: 'withoutData', waitedFor: empty }\n",
    replace: '',
    tests: ['test/rules/change.test.ts'],
    testName: 'without data',
  },
  {
    name: 'most of a group may be witnesses',
    file: 'rules/change.ts',
    find: 'const most = majorityOf(voters.length) - 1',
    replace: 'const most = voters.length - 1',
    tests: ['test/rules/change.test.ts'],
    testName: 'cannot be is refused',
  },
  {
    name: 'a snapshot without files is loaded as one',
    file: 'actors/snapshot/loading.ts',
    find: 'if (withheld === true) return',
    replace: 'if (withheld === false) return',
    ...SCRIPT,
  },
  {
    name: 'a witness answers reads from the state that it does not have',
    file: 'host/node-intake.ts',
    find: 'refusalToShow(core, restOf(level)) ?? full',
    replace: 'full',
    ...SCRIPT,
  },
  {
    name: 'a snapshot without files is one with none after a restart',
    file: 'storage/sqlite/snapshots/configuration-column.ts',
    find: "'priorities', 'withheld'] as const",
    replace: "'priorities'] as const",
    tests: ['test/storage/configuration-column.test.ts'],
  },
]
