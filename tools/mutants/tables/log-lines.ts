// Planted bugs in what the log of a member says: it is flooded, is silent, says another reason than the metrics, forgets who
// has caught up.

import type { Mutant } from '../mutant.ts'

const LINES = ['test/host/log-lines.test.ts']
const LAG = ['test/actors/lag-watch.test.ts']

export const LOG_LINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'a line that came once is not left out when it comes again',
    file: 'runtime/rarely.ts',
    find: 'this.#leftOut++\n      return null',
    replace: 'return this.#leftOut++',
    tests: LINES,
    testName: 'holds the process up',
  },
  {
    name: 'what was left out is not counted',
    file: 'runtime/rarely.ts',
    find: 'this.#leftOut++\n',
    replace: '',
    tests: LINES,
    testName: 'not each time',
  },
  {
    name: 'a role is logged with the role it was before',
    file: 'actors/node/node.announcing.ts',
    find: '{ group, from, to, term, reason }',
    replace: '{ group, from: to, to: from, term, reason }',
    tests: LINES,
    testName: 'a role has one line',
  },
  {
    name: 'a leader that is followed is not logged',
    file: 'actors/node/node.setup.ts',
    find: '    noteLeader(core)\n',
    replace: '    if (core.leader === null) noteLeader(core)\n',
    tests: LINES,
    testName: 'a role has one line',
  },
  {
    name: 'attempts at elections are not logged',
    file: 'actors/node/node.announcing.ts',
    find: 'if (others.length === 0 ||',
    replace: 'if (others.length >= 0 ||',
    tests: LINES,
    testName: 'reaches no majority',
  },
  {
    name: 'followers that lag are not looked for',
    file: 'actors/node/node.announcing.ts',
    find: 'core.office?.lag.look(core, core.office.followers)',
    replace: 'core.office?.lag.look(core, new Map())',
    tests: LINES,
    testName: 'a follower that is gone',
  },
  {
    name: 'a follower that goes up and down floods the log',
    file: 'actors/replication/lag-watch.ts',
    find: ' && nowMs - trail.saidMs >= LINE_INTERVAL_MS',
    replace: '',
    tests: LAG,
  },
  {
    name: 'a follower lags until all bounds are far below, and is told of again at once',
    file: 'actors/replication/lag-watch.ts',
    find: 'const share = hasLagged ? CAUGHT_UP_SHARE : 1',
    replace: 'const share = hasLagged ? 1 : 1',
    tests: LAG,
  },
  {
    name: 'a follower of a busy leader lags because there is always something new',
    file: 'actors/replication/lag-watch.ts',
    find: 'if (matchIndex >= trail.markIndex) {',
    replace: 'if (matchIndex >= commitIndex) {',
    tests: LAG,
  },
  {
    name: 'a state machine that holds the process up is not noticed',
    file: 'actors/apply/apply-worker.ts',
    find: 'this.#slow.worked(startedMs, this.#applied.index)',
    replace: 'if (startedMs < 0) this.#slow.worked(startedMs, this.#applied.index)',
    tests: LINES,
    testName: 'holds the process up',
  },
  {
    name: 'an entry that is away is looked at once',
    file: 'actors/apply/slow-code.ts',
    find: '      )\n    this.#lookIn(MAX_AWAY_MS)',
    replace: '      )',
    tests: LINES,
    testName: 'does not come back',
  },
  {
    name: 'an entry that is back is still waited for',
    file: 'actors/apply/slow-code.ts',
    find: '  cameBack(): void {\n    this.#away = null',
    replace: '  cameBack(): void {',
    tests: LINES,
    testName: 'does not come back',
  },
]
