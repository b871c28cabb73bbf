// Planted bugs in heartbeats that travel together, and in groups that sleep.

import type { Mutant } from '../mutant.ts'

const RULES = ['test/rules/quiescence.test.ts']
const LEDGER = ['test/rules/wake-ledger.test.ts']
const PAIRS = ['test/transport/rpc/pairs.test.ts']
const NODE = ['test/actors/node/node.sleep.test.ts']

export const QUIESCENCE_MUTANTS: readonly Mutant[] = [
  {
    name: 'a follower sleeps that does not know what is committed',
    file: 'rules/quiescence.ts',
    find: ' || self.commitIndex !== lastIndex',
    replace: '',
    tests: RULES,
  },
  {
    name: 'a follower sleeps whose disk has not confirmed everything',
    file: 'rules/quiescence.ts',
    find: ' && self.durableIndex === lastIndex',
    replace: '',
    tests: RULES,
  },
  {
    name: 'groups sleep though leases are on',
    file: 'rules/quiescence.ts',
    find: 'if (!due.leasesOn && due.calmBeats',
    replace: 'if (due.calmBeats',
    tests: [...RULES, ...NODE],
  },
  {
    name: 'frames without an answer pass for heartbeats',
    file: 'rules/quiescence.ts',
    find: 'return isHeard && isTold',
    replace: 'return isTold',
    tests: RULES,
  },
  {
    name: 'a follower is not told what a lone frame has led to',
    file: 'rules/quiescence.ts',
    find: 'due.framesSince > 1',
    replace: 'due.framesSince > 0',
    tests: RULES,
  },
  {
    name: 'a wake is forgotten as soon as it was said',
    file: 'rules/wake-ledger.ts',
    find: 'woken.filter((one) => one.version > version)',
    replace: '[]',
    tests: LEDGER,
  },
  {
    name: 'too many to name are forgotten',
    file: 'rules/wake-ledger.ts',
    find: '{ version, woken: [], allBefore: version }',
    replace: '{ version, woken: [], allBefore: 0 }',
    tests: [...LEDGER, ...PAIRS],
  },
  {
    name: 'a message that was overtaken is believed',
    file: 'rules/wake-ledger.ts',
    find: 'return news.incarnation === view.incarnation && news.number <= view.number',
    replace: 'return false',
    tests: LEDGER,
  },
  {
    name: 'who sleeps does not notice that the other process began anew',
    file: 'rules/wake-ledger.ts',
    find: 'return news.incarnation !== agreed.incarnation || news.allBefore',
    replace: 'return news.allBefore',
    tests: [...LEDGER, ...PAIRS],
  },
  {
    name: 'a leader that wakes does not say so',
    file: 'transport/rpc/leading-pair.ts',
    find: '    this.#ledger = woke(this.#ledger, group)\n',
    replace: '',
    tests: PAIRS,
  },
  {
    name: 'a follower that wakes does not say so',
    file: 'transport/rpc/following-pair.ts',
    find: '    this.#ledger = woke(this.#ledger, group)\n',
    replace: '',
    tests: PAIRS,
  },
  {
    name: 'followers sleep on while the process of their leaders is silent',
    file: 'transport/rpc/following-pair.ts',
    find: 'if (clock.nowMs() - this.#heardMs >= patienceMs)',
    replace: 'if (patienceMs < 0)',
    tests: PAIRS,
  },
  {
    name: 'leaders take a silent process for awake',
    file: 'transport/rpc/leading-pair.ts',
    find: 'if (nowMs - this.#heardMs > SILENT_BEATS * this.#intervalMs)',
    replace: 'if (nowMs < 0)',
    tests: PAIRS,
  },
  {
    name: 'an answer to all waits for the slowest disk',
    file: 'transport/rpc/following-pair.ts',
    find: '    flushSoon()\n    for',
    replace: '    isDue = message.beats.length > 2\n    for',
    tests: PAIRS,
  },
  {
    name: 'heartbeats that an earlier version refused are lost',
    file: 'transport/rpc/leading-pair.ts',
    find: "if (failure.remoteCode === 'ENOMETHOD') this.#world.sendAlone(call)\n          else this",
    replace: 'this',
    tests: PAIRS,
  },
  {
    name: 'a follower that was roused has no timer any more',
    file: 'actors/node/node.machine.ts',
    find: "roused: { target: 'waiting', actions: 'armElectionTimer' }",
    replace: "roused: { target: 'waiting' }",
    tests: NODE,
  },
  {
    name: 'a leader whose follower was roused checks its contact no more',
    file: 'actors/node/node.machine.ts',
    find: "            'follower.roused': { guard: 'isOfThisTerm', actions: 'armStepDownTimer' },\n",
    replace: '',
    tests: NODE,
  },
  {
    name: 'a leader that prefers another one sleeps',
    file: 'actors/node/node.sleep.ts',
    find: 'return leadsByRight && areTakenIn',
    replace: 'return areTakenIn',
    tests: NODE,
  },
  {
    name: 'a group sleeps before the files of its members are recorded',
    file: 'actors/node/node.sleep.ts',
    find: 'return leadsByRight && areTakenIn &&',
    replace: 'return leadsByRight &&',
    tests: NODE,
  },
  {
    name: 'a follower that is known to be left sleeps on',
    file: 'actors/timer.machine.ts',
    find: "resting: { on: { arm: { target: 'choosing' }, again: { target: 'choosing' } } }",
    replace: "resting: { on: { arm: { target: 'choosing' } } }",
    tests: NODE,
  },
  {
    name: 'a follower that sleeps never hears what is committed',
    file: 'actors/replication/heartbeat.machine.ts',
    find: "quiet: { on: { tell: { target: 'telling' } } }",
    replace: 'quiet: {}',
    tests: NODE,
  },
  {
    name: 'a leader does not hear that a follower which sleeps takes no commands',
    file: 'actors/node/node.sleep.ts',
    find: 'core.membership.isReadonly === isReadonly && ',
    replace: '',
    tests: NODE,
  },
  {
    name: 'all groups that lose a process fall to the same survivor',
    file: 'rules/presence.ts',
    find: 'const shift = groupsLost > 1 ?',
    replace: 'const shift = groupsLost > 1e9 ?',
    tests: ['test/rules/presence.test.ts'],
  },
]
