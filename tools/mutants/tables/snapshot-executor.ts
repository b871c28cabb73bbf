// Planted bugs in taking, loading and accepting snapshots.

import type { Mutant } from '../mutant.ts'

const RULES = ['test/rules/snapshot.test.ts']
const YIELDING = ['test/actors/snapshot/yielding.test.ts']
const GROWTH = ['test/actors/snapshot/growth.test.ts']
const SAVING = ['test/actors/snapshot/saving.test.ts']

export const SNAPSHOT_EXECUTOR_MUTANTS: readonly Mutant[] = [
  {
    name: 'a save beside an installation',
    file: 'rules/snapshot.ts',
    find: "  if (activity !== 'idle') return 'busy'",
    replace: "  if (activity === 'saving') return 'busy'",
    tests: RULES,
  },
  {
    name: 'a snapshot that says nothing new',
    file: 'rules/snapshot.ts',
    find: "snapshotIndex < Math.max(1, minGapEntries) ? 'nothingNew' : 'save'",
    replace: "snapshotIndex < Math.min(0, minGapEntries) ? 'nothingNew' : 'save'",
    tests: RULES,
  },
  {
    name: 'large states are written all the time',
    file: 'rules/snapshot.ts',
    find: '  return (isLong || isLarge) && logBytes >= snapshotBytes * SHARE_OF_SNAPSHOT',
    replace: '  return (isLong || isLarge) && logBytes >= 0 * snapshotBytes * SHARE_OF_SNAPSHOT',
    tests: RULES,
  },
  {
    name: 'all members save at the same time',
    file: 'rules/snapshot.ts',
    find: '  return isFirst ? Math.floor(drawn * intervalMs) : intervalMs',
    replace: '  return isFirst ? Math.floor(0 * drawn + intervalMs) : intervalMs',
    tests: RULES,
  },
  {
    name: 'a newer offer breaks off a load',
    file: 'rules/snapshot.ts',
    find: "  if (activity === 'loading') return newer <= 0 ? 'loading' : 'busy'",
    replace: "  if (activity === 'loading' && newer <= 0) return 'loading'",
    tests: RULES,
  },
  {
    name: 'an older offer takes the place of a newer one',
    file: 'rules/snapshot.ts',
    find: "  if (newer !== 0) return newer > 0 ? 'start' : 'busy'",
    replace: "  if (newer !== 0) return 'start'",
    tests: RULES,
  },
  {
    name: 'a save that never ends keeps offers waiting for ever',
    file: 'rules/snapshot.ts',
    find: "putOffMs >= SAVE_YIELDS_AFTER_MS ? 'start' : 'busy'",
    replace: "putOffMs >= SAVE_YIELDS_AFTER_MS ? 'busy' : 'busy'",
    tests: RULES,
  },
  {
    name: 'each offer waits for a save from the beginning',
    file: 'actors/snapshot/downloading.ts',
    find: 'job.putOffSinceMs ??= event.heardMs',
    replace: 'job.putOffSinceMs = event.heardMs',
    tests: YIELDING,
  },
  {
    name: 'an offer waits for all saves together',
    file: 'actors/snapshot/saving.ts',
    find: '  job.putOffSinceMs = null\n',
    replace: '',
    tests: YIELDING,
  },
  {
    name: 'user code that saves in vain is not told',
    file: 'actors/snapshot/saving.ts',
    find: '  world.snapshots.abort()\n  job.saving = null\n',
    replace: '  job.saving = null\n',
    tests: YIELDING,
  },
  {
    name: 'a save that was given up is taken for the next one',
    file: 'actors/snapshot/saving.ts',
    find: '  if (number === job.saves) sendTo(',
    replace: '  if (number <= job.saves) sendTo(',
    tests: YIELDING,
  },
  {
    name: 'a save that was given up begins when its turn comes',
    file: 'actors/snapshot/saving.ts',
    find: '        number === job.saves ? captureAt(',
    replace: '        number <= job.saves ? captureAt(',
    tests: YIELDING,
  },
  {
    name: 'growth before a restart does not count',
    file: 'actors/node/node.snapshots.ts',
    find: '    logBytes: snapshots.appliedBytes - snapshots',
    replace: '    logBytes: Math.min(snapshots.appliedBytes, core.log.appendedBytes) - snapshots',
    tests: GROWTH,
  },
  {
    name: 'growth during a save does not count',
    file: 'actors/snapshot/saving.ts',
    find: '  snapshots.appliedBytesAtNewest = job.appliedBytes',
    replace: '  snapshots.appliedBytesAtNewest = Math.max(job.appliedBytes, snapshots.appliedBytes)',
    tests: GROWTH,
  },
  {
    name: 'a save that failed goes on for ever',
    file: 'actors/snapshot/saving.ts',
    find: "  if (saving === null) sendTo(self, { type: 'save.discarded' })\n  else saving.save.discard(() => sendTo(self, { type: 'save.discarded' }))",
    replace:
      "  if (saving === null) sendTo(self, { type: 'save.discarded' })\n  else saving.save.discard(() => {})",
    tests: SAVING,
  },
  {
    name: 'the log stays when nothing is new',
    file: 'actors/snapshot/saving.ts',
    find: "  context.world.send({ type: 'snapshot.unchanged' })\n",
    replace: '',
    tests: SAVING,
  },
  {
    name: 'a snapshot is told before it is durable',
    file: 'actors/snapshot/snapshot.machine.ts',
    find: "          entry: 'publish',",
    replace: "          entry: ['publish', 'refuseBusy', 'abortSave'],",
    tests: SAVING,
  },
  {
    name: 'a failing disk passes for failing user code',
    file: 'actors/snapshot/saving.ts',
    find: "const MENDABLE: readonly StorageErrorCode[] = ['FULL', 'INVALID', 'CLOSED']",
    replace: "const MENDABLE: readonly StorageErrorCode[] = ['FULL', 'INVALID', 'CLOSED', 'IO']",
    tests: SAVING,
  },
  {
    name: 'saves that fail are tried again at every step',
    file: 'actors/node/node.snapshots.ts',
    find: '  if (due && clock.nowMs() >= snapshots.notBeforeMs && takesSnapshots(core)) saveByItself(core)',
    replace: '  if (due && clock.nowMs() >= 0 && takesSnapshots(core)) saveByItself(core)',
    tests: SAVING,
  },
  {
    name: 'a machine without snapshots is asked for one at every step',
    file: 'actors/node/node.snapshots.ts',
    find: '  if (due && clock.nowMs() >= snapshots.notBeforeMs && takesSnapshots(core)) saveByItself(core)',
    replace: '  if (due && clock.nowMs() >= snapshots.notBeforeMs) saveByItself(core)',
    tests: SAVING,
  },
  {
    name: 'nobody who waits for a snapshot is told of the end',
    file: 'actors/snapshot/saving.ts',
    find: '  endSave(context, { ok: false, error })',
    replace: "  if (error.code !== 'SHUTDOWN') endSave(context, { ok: false, error })",
    also: [
      {
        file: 'actors/node/waiting.ts',
        find: '  for (const settle of [...core.snapshots.asked]) core.shelter(() => settle({ ok: false, error: unread }))\n',
        replace: '',
      },
    ],
    tests: SAVING,
  },
  {
    name: 'a save takes every turn until the disk is behind',
    file: 'actors/snapshot/user-writer.ts',
    find: '        await this.#turn()\n',
    replace: '',
    tests: ['test/host/snapshots.test.ts'],
    testName: 'leaves others their turn',
  },
  {
    name: 'a piece of a snapshot kept without a copy',
    file: 'actors/snapshot/copier.actions.ts',
    find: 'data: new Uint8Array(response.data)',
    replace: 'data: response.data',
    tests: ['test/actors/snapshot/copier.test.ts'],
  },
]
