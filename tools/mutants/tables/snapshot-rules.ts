// Planted bugs in what snapshots rest on, noticed by whole groups: by seeds, or by the scripts that tell their situation.

import type { Mutant } from '../mutant.ts'

const SCRIPTS = ['test/scenarios/scenarios.test.ts']
/** Snapshots all the time, and logs that are short enough to be gone when somebody comes back. */
const OFTEN = { snapshotEveryEntries: 2, snapshotMinGapEntries: 1, logMarginEntries: 0 } as const

export const SNAPSHOT_RULE_MUTANTS: readonly Mutant[] = [
  {
    name: 'snapshot stores the uncommitted configuration',
    number: 10,
    file: 'actors/snapshot/saving.ts',
    find: '    ...configurationOf(configuration ?? EMPTY_CONFIGURATION),',
    replace: '    ...configurationOf(world.configuration ?? configuration ?? EMPTY_CONFIGURATION),',
    expect: ['INV-20'],
    hint: { tuning: OFTEN },
  },
  {
    name: 'log prefix dropped before the snapshot is durable',
    number: 11,
    file: 'actors/snapshot/saving.ts',
    find: '  context.job.saving?.save.publish(',
    replace:
      "  const early = context.job.saving\n  if (early !== null) context.world.send({ type: 'snapshot.saved', meta: early.writer.meta })\n  early?.save.publish(",
    also: [
      {
        file: 'rules/compaction.ts',
        find: '  return Math.max(1, Math.min(previousIndex + 1,',
        replace: '  return Math.max(1, Math.min(snapshotIndex + 1 + 0 * previousIndex,',
      },
    ],
    expect: ['INV-21'],
    hint: { tuning: OFTEN },
  },
  {
    name: 'the log is never compacted',
    file: 'actors/node/node.snapshots.ts',
    find: "  core.life.logActor?.send({ type: 'truncatePrefix', firstKept })",
    replace: "  if (firstKept < 0) core.life.logActor?.send({ type: 'truncatePrefix', firstKept })",
    expect: ['INV-24'],
    hint: { tuning: OFTEN },
  },
  {
    name: 'a state that has come further is replaced by an older one',
    file: 'rules/snapshot.ts',
    find: '  return snapshot > applied\n',
    replace: '  return snapshot > 0 * applied\n',
    tests: SCRIPTS,
    testName: 'snapshot-comes-too-late',
  },
  {
    name: 'installed is told while it is being loaded',
    file: 'rules/snapshot.ts',
    find: "  if (activity === 'loading') return newer <= 0 ? 'loading' : 'busy'",
    replace: "  if (activity === 'loading') return newer <= 0 ? 'installed' : 'busy'",
    expect: ['INV-20'],
    hint: { tuning: OFTEN, machinePace: { load: { shape: 'constant', ms: 500 } } },
  },
  {
    name: 'the log since the snapshot before goes at once',
    file: 'rules/compaction.ts',
    find: '  return Math.max(1, Math.min(previousIndex + 1,',
    replace: '  return Math.max(1, Math.min(snapshotIndex + 1 + 0 * previousIndex,',
    tests: SCRIPTS,
    testName: 'HB-07',
  },
  {
    name: 'the log behind an installation goes',
    file: 'rules/compaction.ts',
    find: '    .map((installation) => installation.snapshotIndex + 1)',
    replace: '    .map((installation) => snapshotIndex + 1 + 0 * installation.snapshotIndex)',
    tests: SCRIPTS,
    testName: 'SN-04',
  },
  {
    name: 'the log is kept for an installation for ever',
    file: 'rules/compaction.ts',
    find: 'bytesSince <= maxRetainedBytes',
    replace: 'bytesSince <= maxRetainedBytes * 1e6',
    tests: SCRIPTS,
    testName: 'snapshot-margin',
  },
  {
    name: 'no margin before the end of a snapshot',
    file: 'rules/compaction.ts',
    find: 'snapshotIndex + 1 - marginEntries',
    replace: 'snapshotIndex + 1 - 0 * marginEntries',
    tests: SCRIPTS,
    testName: 'snapshot-margin',
  },
  {
    name: 'a log of another history stays behind a snapshot',
    file: 'rules/compaction.ts',
    find: '  return mine === term || (',
    replace: '  return mine > 0 * term || (',
    tests: SCRIPTS,
    testName: 'snapshot-replaces',
  },
  {
    name: 'a download outlives its term',
    file: 'actors/snapshot/snapshot.machine.ts',
    find: "        cancel: [{ guard: 'isPublishing' }, { target: 'idle', actions: 'endDownload' }],\n",
    replace: '',
    tests: SCRIPTS,
    testName: 'SX-02',
  },
  {
    name: 'an offer that is repeated begins again',
    file: 'rules/snapshot.ts',
    find: "takenAtMs === running.takenAtMs ? 'accepted' : 'start'",
    replace: "takenAtMs === running.takenAtMs ? 'start' : 'start'",
    tests: SCRIPTS,
    testName: 'SX-01',
  },
  {
    name: 'a full disk stops the member that is sent a snapshot',
    file: 'actors/snapshot/downloading.ts',
    find: " && event.error?.code !== 'FULL'",
    replace: '',
    tests: SCRIPTS,
    testName: 'disk-full-while-installing',
  },
  {
    name: 'a failing disk is taken for the other side of an installation',
    file: 'actors/snapshot/downloading.ts',
    find: "event.type === 'copy.failed' && event.kind === 'local'",
    replace: "event.type === 'copy.failed' && event.kind !== 'local'",
    tests: SCRIPTS,
    testName: 'ND-10',
  },
  {
    name: 'what could not be loaded counts as loaded',
    file: 'actors/snapshot/snapshot.machine.ts',
    find: "event.type === 'load.done' && event.error !== null",
    replace: "event.type === 'load.done' && event.error === undefined",
    tests: SCRIPTS,
    testName: 'ND-29-snapshot',
  },
  {
    name: 'files are fetched anew under the next leader',
    file: 'storage/snapshots/copy-writer.ts',
    find: '        if (bytes === chunkBytes(file, number)) present[number] = 1\n',
    replace: '        if (bytes > chunkBytes(file, number)) present[number] = 1\n',
    tests: SCRIPTS,
    testName: 'ND-09',
  },
]
