// Planted bugs of read-only mode.

import type { Mutant } from '../mutant.ts'

const RULES = ['test/rules/readonly.test.ts']
const SCRIPT = { tests: ['test/scenarios/scenarios.test.ts'], testName: 'ND-44' }

export const READONLY_MUTANTS: readonly Mutant[] = [
  {
    name: 'leadership is handed to who is not sent what it would need',
    file: 'rules/transfer.ts',
    find: "  if (heir?.isReadonly === true) return refuse('READONLY')\n",
    replace: '',
    tests: ['test/rules/transfer.test.ts'],
  },
  {
    name: 'a leader that is read-only itself counts as one of many',
    file: 'rules/readonly.ts',
    find: '!isReadonly(self) && hasQuorum',
    replace: 'hasQuorum',
    tests: RULES,
  },
  {
    name: 'changes of the members wait for the end of read-only mode',
    file: 'rules/readonly.ts',
    find: 'index >= readonlyIndex && type === EntryType.DATA',
    replace: 'index >= readonlyIndex && type !== EntryType.NO_OP',
    tests: RULES,
  },
  {
    name: 'a read-only member is sent what came before it said so no more',
    file: 'rules/readonly.ts',
    find: 'index >= readonlyIndex && ',
    replace: 'index > 0 && ',
    tests: RULES,
  },
  {
    name: 'a read-only member is sent commands',
    file: 'actors/replication/replicator.actions.ts',
    find: 'sendable(nextEntries(context, frame), progress.readonlyIndex)',
    replace: 'sendable(nextEntries(context, frame), null)',
    ...SCRIPT,
  },
  {
    name: 'who may be written to again is not sent what it has missed',
    file: 'actors/replication/heartbeat.machine.ts',
    find: "  if (!isReadonly) replicator.send({ type: 'log.grew' })",
    replace: "  if (isReadonly) replicator.send({ type: 'log.grew' })",
    ...SCRIPT,
  },
  {
    name: 'answers do not say that the member is read-only',
    file: 'actors/node/node.start.ts',
    find: 'isReadonly ? { readonly: true } : {}',
    replace: 'isReadonly ? { readonly: false } : {}',
    ...SCRIPT,
  },
  {
    name: 'a leader appends what it should refuse',
    file: 'actors/node/node.leader.ts',
    find: "if (verdict !== 'accept' || isReadonly) {",
    replace: "if (verdict !== 'accept') {",
    ...SCRIPT,
  },
]
