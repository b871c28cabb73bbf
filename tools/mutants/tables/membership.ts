// Planted bugs in changes of membership.
//
// What could be wrong, file by file:
//   rules/change                 the joint configuration is left out, the old set is not asked, who is gone is remembered,
//                                somebody who has nothing is ready, what cannot be is done
//   configuration-change         begins too early, ends too early, carries on what was given up, drops what was inherited
//   configuration-change.ts      whoever leaves is let go too early, or never
//   node.appending               in force too late, judged by the wrong set
//   host/member-wishes            nonsense reaches the rules, or what was said of a member does not
//   node.membership              what is known of old files is kept, a leader that has left goes on
//   quorum                       learners count

import type { Hint, Mutant } from '../mutant.ts'

const CHANGES: Hint = { profile: 'membership', changes: true }
const RULES = ['test/rules/change.test.ts']
const NODE = ['test/actors/node/node.membership.test.ts', 'test/actors/node/node.leaving.test.ts']
const REMOVED = ['test/rules/removal.test.ts', 'test/actors/node/node.removal.test.ts']
const STALL = ['test/rules/change.test.ts', 'test/actors/node/node.catching-up.test.ts']
const WISHES = ['test/host/membership.test.ts']

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: 'whoever answers is waited for without an end',
    file: 'rules/change.ts',
    find: 'lags(peer) && !(isAlive && isMoving)',
    replace: 'lags(peer) && !isAlive',
    tests: STALL,
  },
  {
    name: 'who lags and answers is waited for no longer than who is silent',
    file: 'actors/membership/configuration-change.actions.ts',
    find: 'stillMs <= tuning.maxCatchUpStallMs',
    replace: 'stillMs <= tuning.electionTimeoutMs',
    tests: STALL,
  },
  {
    name: 'a fall and a recovery are progress',
    file: 'actors/membership/configuration-change.ts',
    find: 'best.matchIndex = Math.max(best.matchIndex, matchIndex)',
    replace: 'best.matchIndex = matchIndex',
    tests: STALL,
  },
  {
    name: 'bytes of a snapshot are no progress',
    file: 'actors/membership/configuration-change.ts',
    find: 'if (matchIndex > best.matchIndex || isNewer || hasMore)',
    replace: 'if (matchIndex > best.matchIndex)',
    tests: STALL,
  },
  {
    name: 'a removal that may yet be dropped is told',
    file: 'rules/removal.ts',
    find: 'id.index > 0 && id.index <= commitIndex',
    replace: 'id.index > 0',
    tests: REMOVED,
  },
  {
    name: 'whoever is being added is told that it was removed',
    file: 'rules/removal.ts',
    find: ' || adding.includes(candidate)',
    replace: '',
    tests: REMOVED,
  },
  {
    name: 'a removal of an earlier leader is believed',
    file: 'rules/removal.ts',
    find: 'compareLogIds(told, own) > 0',
    replace: 'told.index > own.index',
    tests: REMOVED,
  },
  {
    name: 'whoever was told that it was removed asks on',
    file: 'actors/node/node.configuration.ts',
    find: '  if (membership.isToldRemoved(configuration)) return EMPTY_CONFIGURATION\n',
    replace: '',
    tests: REMOVED,
  },
  {
    name: 'members that were forced believe the others',
    file: 'actors/node/node.removal.ts',
    find: 'membership.reset.forced === null && ',
    replace: '',
    also: [
      {
        file: 'actors/membership/membership.ts',
        find: 'this.reset.forced === null && ',
        replace: '',
      },
    ],
    tests: REMOVED,
  },
  {
    name: 'any set follows any other without a joint configuration',
    file: 'rules/change.ts',
    find: 'votersAdded(target, current).length > 1',
    replace: 'votersAdded(target, current).length > 99',
    expect: ['INV-13'],
    hint: CHANGES,
  },
  {
    name: 'the old set is not asked',
    file: 'rules/change.ts',
    find: '    ...{ peers, oldPeers: current.peers, learners },',
    replace: '    ...{ peers, oldPeers: peers, learners },',
    tests: NODE,
  },
  {
    name: 'the files of a removed member are remembered',
    file: 'rules/change.ts',
    find: "    ...filled('identities', only(identities, votes)),",
    replace: "    ...filled('identities', only(identities, () => true)),",
    tests: RULES,
  },
  {
    name: 'a member that has said nothing has caught up with a short log',
    file: 'rules/change.ts',
    find: 'return matchIndex > 0 && matchIndex',
    replace: 'return matchIndex >= 0 && matchIndex',
    tests: NODE,
  },
  {
    name: 'a set without a majority that has the log is ready',
    file: 'rules/change.ts',
    find: '  const isReady = ready.length >= majorityOf(peers.length) && !added.some(lags)',
    replace: '  const isReady = ready.length >= 0 && !added.some(lags)',
    tests: RULES,
  },
  {
    name: 'the change begins before the first entry of the term is applied',
    file: 'rules/change.ts',
    find: '  if (!isEstablished) return',
    replace: '  if (!isEstablished && configurationIndex < 0) return',
    // The first entry is a configuration, which has to be committed as well.
    also: [
      {
        file: 'rules/change.ts',
        find: '  if (configurationIndex > commitIndex) return',
        replace: '  if (configurationIndex > commitIndex + 1) return',
      },
    ],
    tests: NODE,
  },
  {
    name: 'a configuration follows one that is not committed',
    file: 'rules/change.ts',
    find: '  if (configurationIndex > commitIndex) return',
    replace: '  if (configurationIndex > commitIndex + 999) return',
    expect: ['INV-13'],
    hint: CHANGES,
  },
  {
    name: 'nobody is caught up before it counts',
    file: 'actors/membership/configuration-change.machine.ts',
    find: "always: [{ guard: 'keepsVoters', target: 'stable' }, ...ready],",
    replace: "always: [{ guard: 'keepsVoters', target: 'stable' }, { target: 'joint' }],",
    tests: NODE,
  },
  {
    name: 'a change that was given up goes on when its member answers late',
    file: 'actors/membership/configuration-change.machine.ts',
    find: "{ guard: 'isWaitedForInVain', target: '#configurationChange.none', actions: 'giveUp' }",
    replace: "{ guard: 'isWaitedForInVain', target: 'waiting', actions: 'giveUp' }",
    also: [
      {
        file: 'actors/membership/configuration-change.actions.ts',
        find: '  change.target = null\n  change.adding = []\n  change.inVain = null\n',
        replace: '  change.inVain = null\n',
      },
    ],
    tests: NODE,
  },
  {
    name: 'a joint configuration is left as it was found',
    file: 'actors/membership/configuration-change.machine.ts',
    find: "        { guard: 'isHalfDone', target: 'joint' },\n",
    replace: '',
    expect: ['INV-0'],
    hint: CHANGES,
  },
  {
    name: 'the change is over when it is written, committed or not',
    file: 'actors/membership/configuration-change.actions.ts',
    find: ' && configuration.id.index <= commitIndex',
    replace: ' && configuration.id.index <= commitIndex + 1',
    tests: NODE,
  },
  {
    name: 'a leader outside of the new set stays in office',
    file: 'actors/membership/configuration-change.actions.ts',
    find: '  if (!isMember(configuration, id)) world.send',
    replace: '  if (!isMember(configuration, id) && term < 0) world.send',
    expect: ['INV-0'],
    hint: CHANGES,
  },
  {
    name: 'a leader outside of the new set counts itself',
    file: 'actors/node/node.appending.ts',
    find: '  office?.ballots.judgeBy(core.configuration, index)',
    replace:
      '  office?.ballots.judgeBy({ ...core.configuration, peers: [...new Set([...configuration.peers, core.id])] }, index)',
    expect: ['INV-8', 'INV-6', 'INV-7'],
    hint: CHANGES,
  },
  {
    name: 'a configuration is in force when it is committed',
    file: 'actors/node/node.appending.ts',
    find: '  core.configuration = { ...configuration, id: { index, term } }',
    replace: '  if (before.id.term < term) core.configuration = { ...configuration, id: { index, term } }',
    expect: ['INV-13'],
    hint: CHANGES,
  },
  {
    name: 'whoever is removed is let go before it knows',
    file: 'actors/node/node.appending.ts',
    find: '  for (const peer of whoLeaves(before, configuration)) office?.change.leaves(peer, index)\n',
    replace: '',
    also: [{ file: 'actors/node/node.appending.ts', find: 'import { whoLeaves }', replace: 'import {}' }],
    tests: NODE,
  },
  {
    name: 'whoever is removed is sent the log for ever',
    file: 'actors/membership/configuration-change.ts',
    find: '      if (isTold || nowMs',
    replace: '      if (nowMs < 0 && nowMs',
    tests: NODE,
  },
  {
    name: 'what a removed member held counts when it comes back',
    file: 'actors/node/office.ts',
    find: '      if (!this.change.comesBack(peer) || follower === undefined) continue',
    replace: '      if (!this.change.comesBack(peer) || follower !== undefined) continue',
    tests: NODE,
  },
  {
    name: 'whoever is being caught up is asked to confirm reads',
    file: 'actors/node/node.reads.ts',
    find: '  for (const from of core.others) {',
    replace: '  for (const from of followers.keys()) {',
    tests: NODE,
  },
  {
    name: 'who waits for a change is forgotten when the leader leaves',
    file: 'actors/node/node.stepdown.ts',
    find: '  abandonChange(core, office, reason)\n',
    replace: '',
    also: [
      {
        file: 'actors/node/node.stepdown.ts',
        find: "import { abandonChange } from './node.membership.ts'\n",
        replace: '',
      },
    ],
    tests: NODE,
  },
  {
    name: 'whoever leaves is quiet, though it alone has the entry that says so',
    file: 'rules/election.ts',
    find: '  return [newest, before].find(',
    replace: '  return [newest].find(',
    also: [{ file: 'rules/election.ts', find: '  const before = known', replace: '  void known' }],
    tests: NODE,
  },
  {
    name: 'whoever leaves asks for votes for ever',
    file: 'actors/node/node.configuration.ts',
    find: 'log.configurations.since(commitIndex)',
    replace: 'log.configurations.since(0 * commitIndex)',
    tests: NODE,
  },
  {
    name: 'a leader that finds itself outside of the new set stays',
    file: 'actors/membership/configuration-change.machine.ts',
    find: "        { guard: 'isLeaving', target: 'stable' },\n",
    replace: '',
    tests: NODE,
  },
  {
    name: 'whoever has the log is promoted, here or not',
    file: 'actors/membership/configuration-change.actions.ts',
    find: 'const isHere = !change.adding.includes(peer) || answers',
    replace: 'const isHere = !change.adding.includes(peer) || answers + 1',
    tests: ['test/scenarios/scenarios.test.ts'],
    testName: 'learner-counts-nowhere',
  },
  {
    name: 'a removed member keeps readers waiting for a leader that does not speak to it',
    file: 'actors/node/node.reads.ts',
    find: '  for (const settle of [...core.intake.queries]) core.shelter(() => settle({ ok: false, error }))\n',
    replace:
      '  for (const settle of [] as ((a: object) => void)[]) core.shelter(() => settle({ ok: false, error }))\n',
    tests: NODE,
  },
  {
    name: 'a wish for nobody is taken for one',
    file: 'host/member-wishes.ts',
    find: "  .min(1, 'must name at least one member')\n",
    replace: '',
    tests: WISHES,
    testName: 'that cannot be are refused',
  },
  {
    name: 'the role that somebody wishes is not heard',
    file: 'host/member-wishes.ts',
    find: '...(role === undefined ? {} : { role })',
    replace: '...(role === undefined ? {} : {})',
    tests: WISHES,
    testName: 'learners',
  },
  {
    name: 'who was expected does not matter',
    file: 'host/member-wishes.ts',
    find: '  return names === undefined ? undefined : checked(namesSchema, what, names)',
    replace: '  return names === undefined ? undefined : undefined',
    tests: WISHES,
    testName: 'others than expected',
  },
  {
    name: 'snapshots for members only: whoever joins gets none',
    file: 'actors/snapshot/file-service.ts',
    find: ' && !this.#sending.has(from))',
    replace: ')',
    tests: ['test/host/installing.test.ts'],
    testName: 'is one that joins',
  },
]
