// Planted bugs in the log: what is appended, acknowledged, counted and committed.

import type { Mutant } from '../mutant.ts'

export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: 'leader counts itself before its own sync',
    number: 2,
    file: 'actors/node/node.leader.ts',
    find: '    peer === core.id ? log.durableIndex :',
    replace: '    peer === core.id ? log.lastIndex :',
    expect: ['INV-8', 'INV-19'],
  },
  {
    name: 'entries of older terms committed by counting',
    number: 3,
    file: 'rules/commit.ts',
    find: '    if (reached >= begin && reached > commit) commit = reached',
    replace: '    if (reached > commit && begin > 0) commit = reached',
    expect: ['INV-8', 'INV-6'],
  },
  {
    name: 'acknowledgement counted up to the follower’s own last index',
    number: 4,
    file: 'actors/replication/replicator.actions.ts',
    find: '  const hasMatched = progress.credit(frame)',
    replace:
      '  const hasMatched = progress.credit({ ...frame, count: Math.min(event.outcome.response.lastLogIndex, core.log.lastIndex) - frame.prevLogIndex })',
    expect: ['INV-8', 'INV-11'],
  },
  {
    name: 'any shorter append truncates',
    number: 5,
    file: 'rules/append.ts',
    find: "  return { kind: 'accept', truncateAfter: null, skip: entries.length, matchIndex }",
    replace:
      "  return { kind: 'accept', truncateAfter: matchIndex < log.lastIndex ? matchIndex : null, skip: entries.length, matchIndex }",
    expect: ['INV-12', 'INV-11', 'INV-22'],
    hint: { profile: 'network' },
  },
  {
    name: 'commit not bounded by what the frame verified',
    number: 6,
    file: 'actors/node/node.follower.ts',
    find: 'followerCommitIndex(following.vouchedCommitIndex, leaderCommit, verified)',
    replace:
      'followerCommitIndex(following.vouchedCommitIndex, leaderCommit, core.log.lastIndex + 0 * verified)',
    expect: ['INV-10', 'INV-7', 'INV-22'],
  },
  {
    name: 'joint configuration counted as one union',
    number: 8,
    file: 'rules/quorum.ts',
    find: '  return isStable(configuration) ? now : Math.min(now, majorityValue(configuration.oldPeers, measure))',
    replace: '  return isStable(configuration) ? now : majorityValue(members(configuration), measure)',
    expect: ['INV-8', 'INV-13'],
    hint: { joint: true, nodes: 5 },
  },
  {
    name: 'configuration kept when its entry is truncated',
    number: 9,
    file: 'log/configuration-history.ts',
    find: '    while ((this.#entries.at(-1)?.id.index ?? 0) > lastKept) this.#entries.pop()',
    replace: '    if (lastKept < 0) this.#entries.pop()',
    expect: ['INV-13'],
    hint: { tuning: { maxEntriesPerFrame: 1 } },
  },
  {
    name: 'acknowledgements of an earlier leadership accepted',
    number: 12,
    file: 'actors/node/node.leader.ts',
    find: '    office.followers.set(peer, spawn(new PeerProgress(peer, firstProbe(core.log.lastIndex), nowMs)))',
    replace:
      '    core.remembered ??= new Map(); const known = core.remembered.get(peer) ?? new PeerProgress(peer, firstProbe(core.log.lastIndex), nowMs); core.remembered.set(peer, known); known.inFlight.length = 0; office.followers.set(peer, spawn(known))',
    expect: ['INV-8', 'INV-6', 'INV-7'],
    hint: { scenario: 'secondLeadership' },
  },
  {
    name: 'acknowledged before it is durable',
    file: 'actors/node/node.follower.ts',
    find: '  if (matchIndex <= core.log.durableIndex) acknowledge(core, reply)',
    replace: '  if (matchIndex <= core.log.lastIndex) acknowledge(core, reply)',
    expect: ['INV-11', 'INV-8'],
  },
  {
    name: 'acknowledgement leaves after its term has ended',
    file: 'actors/node/node.follower.ts',
    find: '    if (core.term === term) reply(',
    replace: '    if (core.term >= term) reply(',
    expect: ['INV-11', 'INV-8'],
    hint: { scenario: 'slowRecords' },
  },
  {
    name: 'one finished write makes the whole log look durable',
    file: 'log/raft-log.ts',
    find: '    if (write.last > this.#durableIndex) this.#durableIndex = write.last',
    replace: '    if (write.last > this.#durableIndex) this.#durableIndex = this.#lastIndex',
    expect: ['INV-11', 'INV-8', 'INV-2'],
  },
  {
    name: 'failed append taken for done',
    file: 'actors/log.machine.ts',
    find: "        if (error !== null) return self.send({ type: 'disk.failed', error })\n        log.markDurable(write)",
    replace: '        log.markDurable(write)',
    expect: ['INV-22', 'INV-11', 'INV-8'],
    hint: { profile: 'disk' },
  },
  {
    name: 'quorum one short',
    file: 'rules/quorum.ts',
    find: '  return descending[majorityOf(peers.length) - 1] ?? Number.NEGATIVE_INFINITY',
    replace: '  return descending[Math.max(0, majorityOf(peers.length) - 2)] ?? Number.NEGATIVE_INFINITY',
    expect: ['INV-8'],
  },
  {
    name: 'term of the previous entry not compared',
    file: 'rules/append.ts',
    find: '  if (prevLogIndex > settled && prevTerm !== prevLogTerm) return',
    replace: '  if (prevLogIndex > settled && prevTerm === 0) return',
    expect: ['INV-5', 'INV-7', 'INV-10', 'INV-11'],
  },
  {
    name: 'probe never goes back',
    file: 'rules/progress.ts',
    find: '  return Math.max(1, hinted < nextIndex ? hinted : nextIndex - 1)',
    replace: '  return Math.max(1, hinted < nextIndex ? hinted : nextIndex)',
    expect: ['INV-0'],
  },
]
