// Planted bugs in what callers are told: results, reads, hooks.

import type { Mutant } from '../mutant.ts'

export const COMPLETION_MUTANTS: readonly Mutant[] = [
  {
    name: 'reads before the first entry of the term is committed',
    number: 13,
    file: 'rules/read.ts',
    find: '  return appliedIndex >= firstIndexOfTerm',
    replace: '  return appliedIndex >= 0 * firstIndexOfTerm',
    expect: ['INV-16', 'INV-14'],
  },
  {
    name: 'completions lost at step-down',
    number: 14,
    file: 'actors/node/node.stepdown.ts',
    find: '    core.closures.takeAfter(core.commitIndex),\n',
    replace: '    core.closures.takeAfter(core.commitIndex).slice(1),\n',
    expect: ['INV-17', 'INV-0', 'INV-24'],
  },
  {
    name: 'completions delivered twice at step-down',
    number: 14,
    file: 'actors/apply/closures.ts',
    find: '    this.#items.length = keep\n',
    replace: '',
    expect: ['INV-17', 'INV-18'],
  },
  {
    name: 'one completion too many kept at step-down',
    file: 'actors/apply/closures.ts',
    find: '(this.#indexes[keep - 1] ?? 0) > index) keep--',
    replace: '(this.#indexes[keep - 1] ?? 0) > index + 1) keep--',
    expect: ['INV-17', 'INV-18', 'INV-0', 'INV-24'],
  },
  {
    name: 'completions kept at step-down',
    file: 'actors/node/node.stepdown.ts',
    find: '    core.closures.takeAfter(core.commitIndex),\n',
    replace: '    [],\n',
    expect: ['INV-17', 'INV-18', 'INV-0', 'INV-24'],
  },
  {
    name: 'proposal slips into a later term',
    file: 'rules/proposal.ts',
    find: '  return expectedTerm === undefined || expectedTerm === term',
    replace: '  return expectedTerm === undefined || expectedTerm <= term',
    expect: ['INV-18'],
    hint: { profile: 'network' },
  },
  {
    name: 'late read joins a round that is under way',
    file: 'actors/node/node.reads.ts',
    find: "    if (read.level === 'readIndex') core.office?.reads.push(read)",
    replace:
      "    if (read.level === 'readIndex') core.office?.round ? Object.assign(core.office.round, { reads: [...core.office.round.reads, read] }) : core.office?.reads.push(read)",
    expect: ['INV-16', 'INV-14'],
    hint: { scenario: 'readInAnOldRound' },
  },
  {
    name: 'answers to an earlier round confirm the newest',
    file: 'actors/node/node.reads.ts',
    find: '  if (office === null || office.round?.id !== event.round) return\n  office.round.unanswered',
    replace:
      '  if (office === null || office.round === null || office.round.id < event.round) return\n  office.round.unanswered',
    expect: ['INV-16', 'INV-14'],
    hint: { scenario: 'readAfterAnOldRound' },
  },
  {
    name: 'one answer confirms a round',
    file: 'rules/read.ts',
    find: '  return hasQuorum(round.configuration,',
    replace: '  return round.confirmedBy.size > 0 || hasQuorum(round.configuration,',
    expect: ['INV-16', 'INV-14'],
    hint: { scenario: 'readOfAMinority' },
  },
  {
    name: 'query answered before its index is applied',
    file: 'actors/apply/queries.ts',
    find: 'first.query.index <= applied',
    replace: 'first.query.index <= applied + 1',
    expect: ['INV-16', 'INV-14'],
  },
  {
    name: 'reads forgotten at step-down',
    file: 'actors/node/office.ts',
    find: '    const taken = [...(this.round?.reads ?? []), ...this.reads]',
    replace: '    const taken = [...this.reads]',
    expect: ['INV-17', 'INV-24'],
    hint: { scenario: 'readAtTheEnd' },
  },
  {
    name: 'last entry applied again after a pause',
    file: 'actors/apply/committed-entries.ts',
    find: 'log.cached(next, count, READ_BYTES)',
    replace: 'log.cached(Math.max(1, next - 1), count, READ_BYTES)',
    expect: ['INV-7', 'INV-17'],
  },
  {
    name: 'users not told that leadership ended',
    file: 'actors/node/node.stepdown.ts',
    find: "  if (office.transfer === null) core.toApplyQueue({ type: 'leaderStop', reason })\n",
    replace: '',
    expect: ['INV-23'],
  },
  {
    name: 'joint configuration announced to users',
    file: 'actors/apply/notices.ts',
    find: '  if (!isStable(configuration)) return',
    replace: '  if (isStable(configuration) && false) return',
    expect: ['INV-13'],
    hint: { joint: true, nodes: 5 },
  },
  {
    name: 'completions that throw end those behind them',
    file: 'actors/node/node.core.ts',
    find: '    sheltered(run, this.completionThrew)',
    replace: '    run()',
    also: [
      {
        file: 'actors/apply/closures.ts',
        find: '  } catch (thrown) {\n    threw(thrown)\n  }',
        replace: '  } finally {\n  }',
      },
    ],
    tests: ['test/simulation/rude-users.test.ts'],
  },
]
