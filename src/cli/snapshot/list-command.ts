// `quorate snapshot list`: the snapshots of running members, or those in the files of a stopped one.

import { Command, Option } from 'commander'
import type { GroupStatus } from '../../client.ts'
import { systemClock } from '../../runtime/clock.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { formatSnapshots, type SnapshotRow } from './rows.ts'
import { withGroup } from './session.ts'
import { withStopped } from './stopped.ts'

interface ListFlags extends ClientFlags {
  readonly data?: string
}

export function listCommand(): Command {
  const command = new Command('list').description(
    'show the snapshots of running members, or of a data directory',
  )
  for (const option of clientOptions()) command.addOption(option)
  command.addOption(new Option('--data <dir>', "a stopped member's files, in the place of a running group"))
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate snapshot list --group demo\n  quorate snapshot list --data ./n1\n\n${EXIT_CODES_HELP}`,
  )
  return command.action(async () => {
    const flags = command.opts<ListFlags>()
    show(flags.data === undefined ? await rowsOfGroup(flags) : await rowsOfFiles(flags.data), flags)
  })
}

function show(rows: readonly SnapshotRow[], { json }: ListFlags): void {
  if (json === true) return printJson({ snapshots: rows })
  if (rows.length === 0) return say('There is no snapshot.')
  printLine(formatSnapshots(rows, systemClock.wallMs()))
}

async function rowsOfGroup(flags: ListFlags): Promise<readonly SnapshotRow[]> {
  const status = await withGroup(flags, (session) => session.status())
  if (status.members.length === 0)
    throw new CliError(ExitCode.FAILED, `No member of group ${flags.group} answers on ${flags.nats}.`)
  return rowsOfStatus(status)
}

function rowsOfStatus({ group, members }: GroupStatus): readonly SnapshotRow[] {
  return members.flatMap(({ id, snapshot: { newest, state } }) =>
    newest === null ? [] : [{ ...newest, group, member: id, state: state === 'idle' ? 'published' : state }],
  )
}

/** Also what is not finished. */
async function rowsOfFiles(dataDir: string): Promise<readonly SnapshotRow[]> {
  return await withStopped(dataDir, ({ hostId, groups }) => {
    for (const { damage } of groups) if (damage !== null) throw new CliError(ExitCode.FAILED, damage)
    return groups.flatMap(({ group, snapshots }) =>
      snapshots.map(({ state, record: { meta, bytes, files, takenAtMs } }) => ({
        ...{ group, member: hostId, index: meta.lastIncludedIndex, term: meta.lastIncludedTerm },
        ...{ bytes, files: files.length, takenAtMs, state },
      })),
    )
  })
}
