// Planted bugs in shipping snapshots: offers, files, throttle.

import type { Mutant } from '../mutant.ts'

const OFFERING = ['test/actors/replication/offering.test.ts']
const FILES = ['test/actors/snapshot/file-service.test.ts']
const THROTTLE = ['test/rules/throttle.test.ts']

export const SNAPSHOT_SHIPPING_MUTANTS: readonly Mutant[] = [
  {
    name: 'an offer is made once',
    file: 'actors/replication/replicator.machine.ts',
    find: "        resting: { after: { beat: { target: 'offering' } } },",
    replace: '        resting: {},',
    tests: OFFERING,
  },
  {
    name: 'the log does not go on behind an installed snapshot',
    file: 'actors/replication/peer-progress.ts',
    find: '    this.nextIndex = lastIncludedIndex + 1\n',
    replace: '',
    tests: OFFERING,
  },
  {
    name: 'a follower that accepts a snapshot counts as having it',
    file: 'actors/replication/offering.ts',
    find: "event.outcome.response.state === 'installed'",
    replace: "event.outcome.response.state !== 'busy'",
    tests: OFFERING,
  },
  {
    name: 'an offer that was made before is judged',
    file: 'actors/replication/offering.ts',
    find: '    return event.offer !== this.#offers',
    replace: '    return event.offer > this.#offers',
    tests: ['test/actors/chart-coverage.test.ts'],
  },
  {
    name: 'a follower that says it has the snapshot is asked again and again at once',
    file: 'actors/replication/offering.ts',
    find: '    this.#installedIndex = lastIncludedIndex\n',
    replace: '',
    tests: OFFERING,
  },
  {
    name: 'a success of another term counts as an installation',
    file: 'actors/replication/replicator.actions.ts',
    find: "('state' in response || response.success)",
    replace: "!('state' in response) && response.success",
    tests: OFFERING,
  },
  {
    name: 'compaction overtakes a replicator that streams',
    file: 'actors/replication/replicator.machine.ts',
    find: "        { guard: 'needsSnapshot', target: 'installingSnapshot' },\n        { guard: 'isCaughtUp'",
    replace: "        { guard: 'isCaughtUp'",
    tests: OFFERING,
  },
  {
    name: 'every offer is of the newest snapshot',
    file: 'actors/snapshot/file-service.ts',
    find: 'if (sending !== undefined && log.firstIndex',
    replace: 'if (sending !== undefined && 0 * log.firstIndex > 0 && log.firstIndex',
    tests: FILES,
  },
  {
    name: 'files for everybody',
    file: 'actors/snapshot/file-service.ts',
    find: '    if (!members(configuration).includes(from))',
    replace: '    if (members(configuration).length === 0)',
    tests: FILES,
  },
  {
    name: 'a snapshot of another term is served',
    file: 'actors/snapshot/file-service.ts',
    find: ' && record.meta.lastIncludedTerm === lastIncludedTerm',
    replace: ' && lastIncludedTerm > 0',
    tests: FILES,
  },
  {
    name: 'reads under way have no bound',
    file: 'actors/snapshot/file-service.ts',
    find: 'if (this.#reads >= MAX_READS)',
    replace: 'if (this.#reads < 0)',
    tests: FILES,
  },
  {
    name: 'readers are kept for ever',
    file: 'actors/snapshot/file-service.ts',
    find: 'if (clock.nowMs() - usedMs >= IDLE_MS) this.release(peer)',
    replace: 'if (clock.nowMs() - usedMs < 0) this.release(peer)',
    tests: FILES,
  },
  {
    name: 'a busy disk is told as a damaged one',
    file: 'actors/snapshot/file-service.ts',
    find: "result.error.code === 'INVALID' || ",
    replace: '',
    tests: FILES,
  },
  {
    name: 'what could not be read is not given back to the throttle',
    file: 'actors/snapshot/file-service.ts',
    find: '      input.throttle.reading.giveBack(takenMs, bytes)\n',
    replace: '',
    tests: FILES,
  },
  {
    name: 'a page of files without a bound',
    file: 'actors/snapshot/file-list.ts',
    find: '    if (page.length > 0 && bytes > maxBytes) break\n',
    replace: '',
    tests: FILES,
  },
  {
    name: 'a throttle forgets what was spent',
    file: 'rules/throttle.ts',
    find: 'const usedBytes = startMs === window.startMs ? window.usedBytes : 0',
    replace: 'const usedBytes = 0 * window.usedBytes',
    tests: THROTTLE,
  },
  {
    name: 'windows of a throttle begin whenever they are used',
    file: 'rules/throttle.ts',
    find: '  return Math.floor(nowMs / lengthMs) * lengthMs',
    replace: '  return nowMs - (nowMs % (lengthMs * 1.5))',
    tests: THROTTLE,
  },
  {
    name: 'budget of an earlier window comes back',
    file: 'rules/throttle.ts',
    find: '  if (windowStartMs(grantedMs) !== window.startMs) return window\n',
    replace: '',
    tests: THROTTLE,
  },
  {
    name: 'any number of installations at a time',
    file: 'runtime/snapshot-throttle.ts',
    find: '    if (this.#installations >= this.#limits.maxInstallations) return false\n',
    replace: '',
    tests: ['test/runtime/snapshot-throttle.test.ts'],
  },
  {
    name: 'a throttle keeps its first limits',
    file: 'runtime/snapshot-throttle.ts',
    find: '    this.reading = new ByteBudget(clock, () => this.#limits.bytesPerSecond)\n    this.writing = new ByteBudget(clock, () => this.#limits.bytesPerSecond)',
    replace:
      '    this.reading = new ByteBudget(clock, () => limits.bytesPerSecond)\n    this.writing = new ByteBudget(clock, () => limits.bytesPerSecond)',
    tests: ['test/runtime/snapshot-throttle.test.ts'],
  },
]
