// The doctor's look at the snapshots of one member.

import { systemClock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { StoredSnapshot } from '../../storage/snapshots/snapshot-tables.ts'
import type { InspectedGroup } from '../../storage/sqlite/inspect-directory.ts'
import { type GroupSnapshots, StoppedSnapshots } from '../../storage/sqlite/snapshots/stopped-snapshots.ts'
import { formatDuration, formatSize } from '../units.ts'
import { type Finding, fine, problem } from './finding.ts'

const CHECK = 'snapshots'
const REMEDY =
  'Keep the directory, and start this member with an empty one: it gets its state from the others. A group of one needs a backup.'

/**
 * @param inUse a member that runs keeps everybody else out of them
 * @param which is read to its end, of each group
 */
export function checkSnapshots(dataDir: string, inUse: boolean, which: 'newest' | 'all'): readonly Finding[] {
  if (inUse) return [fine(CHECK, 'A member is running on it; they are looked through when it is stopped.')]
  try {
    const snapshots = new StoppedSnapshots(dataDir)
    try {
      return snapshots.groups.length === 0
        ? [fine(CHECK, 'None.')]
        : snapshots.groups.map((group) => checkGroup(snapshots, group, which))
    } finally {
      snapshots.close()
    }
  } catch (error) {
    return [problem(CHECK, `${messageOf(error)} ${REMEDY}`)]
  }
}

function checkGroup(
  all: StoppedSnapshots,
  { group, snapshots, damage }: GroupSnapshots,
  which: 'newest' | 'all',
): Finding {
  if (damage !== null) return problem(CHECK, `${damage} ${REMEDY}`)
  const published = snapshots.filter(({ state }) => state === 'published')
  const unfinished = snapshots.length - published.length
  const more = unfinished === 0 ? '' : ` Besides, ${unfinished} that are not finished or not needed any more.`
  const newest = published.at(-1)
  if (newest === undefined) return fine(CHECK, `Group ${group}: none.${more}`)
  try {
    for (const each of which === 'all' ? published : [newest]) lookThrough(all, each)
  } catch (error) {
    return problem(CHECK, `Group ${group}: ${messageOf(error)} ${REMEDY}`)
  }
  const { meta, bytes, takenAtMs } = newest.record
  const age = formatDuration(systemClock.wallMs() - takenAtMs)
  return fine(
    CHECK,
    `Group ${group}: up to index ${meta.lastIncludedIndex}, ${age} old; all of its ${formatSize(bytes)} fit their checksums.${more}`,
  )
}

/** Whether the snapshots have what the logs do not have any more. */
export function checkCoverage(dataDir: string, logs: readonly InspectedGroup[]): readonly Finding[] {
  const snapshots = new StoppedSnapshots(dataDir)
  try {
    return logs.flatMap(({ name, firstIndex }) => {
      const upTo = snapshots.newest(name)?.record.meta.lastIncludedIndex ?? 0
      if (firstIndex <= upTo + 1) return []
      const has = upTo === 0 ? 'there is no snapshot' : `the newest snapshot ends at ${upTo}`
      return [problem(CHECK, `Group ${name}: its log begins at ${firstIndex}, and ${has}. ${REMEDY}`)]
    })
  } finally {
    snapshots.close()
  }
}

function lookThrough(all: StoppedSnapshots, snapshot: StoredSnapshot): void {
  for (const file of snapshot.record.files) for (const _ of all.read(snapshot, file));
}
