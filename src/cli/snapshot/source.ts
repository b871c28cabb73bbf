// Where a snapshot is read from: a backup, the files of a stopped member, or a running member.

import type { StoppedSnapshots } from '../../storage/sqlite/snapshots/stopped-snapshots.ts'
import type { ClientFlags } from '../common-options.ts'
import { CliError, ExitCode } from '../exit.ts'
import type { SnapshotSource } from './backup-file.ts'
import { withGroup } from './session.ts'
import { withStopped } from './stopped.ts'

export interface SourceFlags extends ClientFlags {
  readonly data?: string
  readonly member?: string
}

/** @param groupIsGiven whether a group was named; without, a directory with one group needs none. */
export async function withSource<T>(
  flags: SourceFlags,
  groupIsGiven: boolean,
  run: (source: SnapshotSource) => Promise<T>,
): Promise<T> {
  const { data, group } = flags
  if (data === undefined) return await withRunning(flags, run)
  return await withStopped(data, (snapshots) =>
    run(sourceOf(snapshots, data, groupIsGiven ? group : onlyGroup(snapshots, data))),
  )
}

async function withRunning<T>(flags: SourceFlags, run: (source: SnapshotSource) => Promise<T>): Promise<T> {
  return await withGroup(flags, async (session) => {
    const member = flags.member ?? (await session.leader())
    const snapshots = session.member(member)
    const record = await snapshots.newest()
    return await run({ group: flags.group, member, record, read: (file) => snapshots.read(record, file) })
  })
}

function sourceOf(snapshots: StoppedSnapshots, data: string, group: string): SnapshotSource {
  const newest = snapshots.newest(group)
  const { hostId: member } = snapshots
  if (newest === null)
    throw new CliError(
      ExitCode.FAILED,
      snapshots.damageOf(group) ?? `There is no snapshot of group ${group} in ${data}.`,
    )
  if (newest.record.meta.withheld === true) {
    const text = `${data} are the files of a witness, which keeps no data of ${group}: use those of another member.`
    throw new CliError(ExitCode.REFUSED, text)
  }
  return { group, member, record: newest.record, read: (file) => snapshots.read(newest, file) }
}

function onlyGroup({ groups }: StoppedSnapshots, data: string): string {
  const [first, ...more] = groups
  if (first === undefined) throw new CliError(ExitCode.FAILED, `There is no snapshot in ${data}.`)
  if (more.length === 0) return first.group
  const names = groups.map(({ group }) => group).join(', ')
  throw new CliError(ExitCode.USAGE, `${data} has snapshots of ${names}: choose one with --group.`)
}
