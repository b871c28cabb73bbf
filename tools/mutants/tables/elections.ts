// Planted bugs in terms, votes and leases.

import type { Mutant } from '../mutant.ts'

const LEASES = { tuning: { leaderLease: true } } as const

export const ELECTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'vote answered before it is persisted',
    number: 1,
    file: 'actors/node/node.election.ts',
    find: '  core.answer(event.reply, { term: core.term, granted, rejectedByLease, disrupted, previousTerm })\n}',
    replace:
      '  event.reply({ ok: true, response: { term: core.term, granted, rejectedByLease, disrupted, previousTerm } })\n}',
    expect: ['INV-2'],
  },
  {
    name: 'lease runs from the arrival of the answer',
    number: 7,
    file: 'actors/replication/heartbeat.machine.ts',
    find: '  progress.contact(event.sentMs)',
    replace: '  progress.contact(core.clock.nowMs())',
    expect: ['INV-15', 'INV-16', 'INV-14'],
    hint: { ...LEASES, profile: 'network', tuning: { leaderLease: true, maxClockDriftMs: 10 } },
  },
  {
    name: 'damaged meta record read as empty',
    number: 15,
    file: 'actors/node/node.start.ts',
    find: 'recoverHardState(core.stored?.hardState ?? null, core.log.lastLogId.term)',
    replace: 'recoverHardState(null, core.log.lastLogId.term)',
    expect: ['INV-2', 'INV-3'],
  },
  {
    name: 'role not looked at again when the candidacy is durable',
    number: 16,
    file: 'actors/node/node.machine.ts',
    find: "    'hardState.durable': { actions: 'releaseOutbox' },\n    applied:",
    replace:
      "    'hardState.durable': { target: '.active.candidate.requestingVotes', actions: 'releaseOutbox' },\n    applied:",
    also: [
      {
        file: 'actors/node/candidacy.ts',
        find: '    this.preVote = null\n    this.vote = null\n',
        replace: '    this.preVote = null\n',
      },
    ],
    expect: ['INV-1', 'INV-2'],
  },
  {
    name: 'outbox lets everything out at once',
    file: 'actors/node/outbox.ts',
    find: '    if (this.isOpen && this.#waiting.length === 0) sheltered(',
    replace: '    if (this.isOpen || this.#asked > 0) sheltered(',
    expect: ['INV-2'],
  },
  {
    name: 'candidacy counted before it is durable',
    file: 'actors/node/node.machine.ts',
    find: "          initial: 'persistingVote',",
    replace: "          initial: 'requestingVotes',",
    expect: ['INV-2'],
  },
  {
    name: 'failed write of the vote taken for done',
    file: 'actors/node/node.core.ts',
    find: "        error === null ? { type: 'hardState.durable', version }",
    replace: "        error === null || true ? { type: 'hardState.durable', version }",
    expect: ['INV-2', 'INV-22'],
    hint: { profile: 'disk' },
  },
  {
    name: 'second vote in one term',
    file: 'rules/vote.ts',
    find: '  if (votedFor !== null && votedFor !== request.candidate) return',
    replace: '  if (votedFor !== null && votedFor === request.candidate) return',
    expect: ['INV-2', 'INV-22'],
  },
  {
    name: 'logs compared by index before term',
    file: 'rules/types.ts',
    find: '  return a.term !== b.term ? a.term - b.term : a.index - b.index',
    replace: '  return a.index !== b.index ? a.index - b.index : a.term - b.term',
    expect: ['INV-6', 'INV-12', 'INV-22', 'INV-7', 'INV-19'],
    hint: { scenario: 'longOldTail' },
  },
  {
    name: 'vote for a candidate whose log is behind',
    file: 'rules/vote.ts',
    find: "  if (!logIsCurrent) return refuse('LOG_BEHIND', adoptTerm)",
    replace: "  if (!logIsCurrent && !adoptTerm) return refuse('LOG_BEHIND', adoptTerm)",
    also: [
      {
        file: 'rules/vote.ts',
        find: "  if (compareLogIds(request.lastLogId, voter.durableLogId) < 0) return refuse('LOG_BEHIND')\n",
        replace: '',
      },
    ],
    expect: ['INV-6', 'INV-19'],
  },
  {
    name: 'late answers of earlier campaigns counted',
    file: 'actors/node/node.election.ts',
    find: '    return event.version === core.candidacy.vote?.version && event.sentTerm === core.term',
    replace: '    return core.candidacy.vote !== null',
    also: [
      {
        file: 'rules/election.ts',
        find: '  if (answer.granted && answer.term !== campaign.term) return { campaign, askAgain: [] }\n',
        replace: '',
      },
      {
        file: 'actors/node/node.election.ts',
        find: 'core.call(from, method, request, core.tuning.electionTimeoutMs, ',
        replace: 'core.call(from, method, request, 10 * core.tuning.electionTimeoutMs, ',
      },
    ],
    expect: ['INV-1'],
    hint: { scenario: 'oldVotes' },
  },
  {
    name: 'votes held back by leases counted as granted',
    file: 'rules/election.ts',
    find: '  if (answer.granted) next = grant(',
    replace: '  if (answer.granted || answer.rejectedByLease) next = grant(',
    expect: ['INV-1', 'INV-6', 'INV-15', 'INV-2'],
    hint: LEASES,
  },
  {
    name: 'pre-vote raises the term',
    file: 'actors/node/node.election.ts',
    find: "  const request: RequestVoteRequest = {\n    term: method === 'pre_vote' ? sentTerm + 1 : sentTerm,",
    replace:
      "  if (method === 'pre_vote') takeTerm(core, core.term + 1)\n  const request: RequestVoteRequest = {\n    term: method === 'pre_vote' ? sentTerm + 1 : sentTerm,",
    expect: ['INV-2', 'INV-0'],
  },
  {
    name: 'term and vote repaired into the same term',
    file: 'rules/recovery.ts',
    find: '  if (stored === null && lastLogTerm > 0) {\n    return { state: { term: lastLogTerm + 1,',
    replace: '  if (stored === null && lastLogTerm > 0) {\n    return { state: { term: lastLogTerm,',
    also: [
      {
        file: 'rules/recovery.ts',
        find: '  if (state.term < lastLogTerm) {\n    return { state: { term: lastLogTerm + 1,',
        replace: '  if (state.term < lastLogTerm) {\n    return { state: { term: lastLogTerm,',
      },
    ],
    expect: ['INV-2'],
    hint: { scenario: 'lostMeta' },
  },
  {
    name: 'initial configuration preferred to the log at restart',
    file: 'rules/recovery.ts',
    find: '  if (log.configuration !== null) return log.configuration',
    replace: '  if (log.configuration !== null) return { ...initial, id: NOTHING }',
    expect: ['INV-13', 'INV-8'],
  },
  {
    name: 'vote not held back after a restart',
    file: 'actors/node/node.start.ts',
    find: '  if (!recovered.firstStart) core.following.lease =',
    replace: "  if (!recovered.firstStart && core.id === '') core.following.lease =",
    expect: ['INV-15'],
    hint: { scenario: 'restartedVoter' },
  },
  {
    name: 'lease outlasts the voters’ patience',
    file: 'rules/lease.ts',
    find: 'nowMs < quorumContactMs(contact, nowMs) + terms.electionTimeoutMs',
    replace: 'nowMs < quorumContactMs(contact, nowMs) + 3 * terms.electionTimeoutMs',
    expect: ['INV-15', 'INV-16', 'INV-14'],
    hint: { ...LEASES, profile: 'network' },
  },
  {
    name: 'vote given away while it is promised',
    file: 'rules/lease.ts',
    find: '  return terms.leasesOn ? leaderPresumedAliveMs(lease, terms, nowMs) : 0',
    replace: '  return terms.leasesOn ? leaderPresumedAliveMs(lease, terms, nowMs) / 1e9 > 1 ? 1 : 0 : 0',
    expect: ['INV-15'],
    hint: { scenario: 'latePoll' },
  },
  {
    name: 'stale leader believed',
    file: 'rules/term.ts',
    find: "  if (term < self.term) return 'stale'",
    replace: "  if (term < self.term) return 'new'",
    expect: ['INV-1', 'INV-6', 'INV-7', 'INV-8', 'INV-10', 'INV-11', 'INV-12', 'INV-22'],
    hint: { profile: 'network' },
  },
  {
    name: 'elections start a hundred times too late',
    file: 'rules/timing.ts',
    find: '  return wait + spreadMs(base, timing, drawn)',
    replace: '  return 100 * (wait + spreadMs(base, timing, drawn))',
    expect: ['INV-0'],
  },
  {
    name: 'votes judged twice',
    file: 'actors/node/node.election.ts',
    find: '  if (known?.event === event) return known.decision\n  const voter = voterOf(core, event.receivedMs)',
    replace:
      '  if (known?.event === null) return known.decision\n  const voter = voterOf(core, core.clock.nowMs())',
    also: [
      {
        file: 'actors/node/node.election.ts',
        find: '  answerVote(core, event, false, core.term)',
        replace: '  answerVote(core, event, judgeVote(core, event).granted, core.term)',
      },
    ],
    expect: ['INV-2', 'INV-1'],
    hint: { scenario: 'leaseEndsMeanwhile' },
  },
  {
    name: 'vote given in another term counted',
    file: 'rules/election.ts',
    find: '  if (answer.granted && answer.term !== campaign.term) return { campaign, askAgain: [] }\n',
    replace: '',
    tests: ['test/rules/election.test.ts'],
  },
  {
    name: 'pre-vote of somebody in the next term counted',
    file: 'rules/election.ts',
    find: '  if (answer.term >= campaign.term) return campaign\n',
    replace: '',
    tests: ['test/rules/election.test.ts'],
  },
]
