// `quorate snapshot inspect`: what a snapshot is made of, and, where its bytes are at hand, whether they are whole.

import { Argument, Command, Option } from 'commander'
import { systemClock } from '../../runtime/clock.ts'
import { clientOptions, parseMember } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { formatPairs, printJson, printLine } from '../output.ts'
import { formatDuration, formatSize } from '../units.ts'
import { openBackup, type SnapshotSource } from './backup-file.ts'
import { withProgress } from './progress.ts'
import { fileRows, formatFiles } from './rows.ts'
import { type SourceFlags, withSource } from './source.ts'

export function inspectCommand(): Command {
  const command = new Command('inspect').description('show the files of a snapshot, and look through them')
  command.addArgument(new Argument('[file]', 'a backup; left out: a member, by --member or --data'))
  for (const option of clientOptions()) command.addOption(option)
  command.addOption(
    new Option('--member <name>', 'the running member to ask (default: the leader)').argParser(parseMember),
  )
  command.addOption(
    new Option('--data <dir>', "a stopped member's files, in the place of a running one").conflicts('member'),
  )
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate snapshot inspect monday.backup\n  quorate snapshot inspect --data ./n1\n  quorate snapshot inspect --member n1
\nEvery byte of a backup and of a stopped member's files is compared with its checksum; exit 1 when one does not fit.\n${EXIT_CODES_HELP}`,
  )
  return command.action(async (file: string | undefined) => {
    const flags = command.opts<SourceFlags>()
    const groupIsGiven = command.getOptionValueSource('group') !== 'default'
    const asJson = flags.json === true
    if (file === undefined) {
      const isAtHand = flags.data !== undefined
      return await withSource(flags, groupIsGiven, (source) => inspect(source, isAtHand, asJson))
    }
    if (flags.data !== undefined || flags.member !== undefined)
      throw new CliError(ExitCode.USAGE, 'Name a backup, or a member by --data or --member, not both.')
    const backup = await openBackup(file)
    await inspect(backup, true, asJson).finally(() => backup.close())
  })
}

/** @param isAtHand its bytes are looked through */
async function inspect(source: SnapshotSource, isAtHand: boolean, asJson: boolean): Promise<void> {
  if (isAtHand) await lookThrough(source)
  const { group, member, record } = source
  const { lastIncludedIndex: index, lastIncludedTerm: term, peers, oldPeers } = record.meta
  const { bytes, takenAtMs } = record
  const files = fileRows(record)
  if (asJson) {
    return printJson({
      ...{ group, member, index, term, peers, oldPeers, bytes, takenAtMs },
      ...{ checked: isAtHand, files },
    })
  }
  printLine(
    formatPairs([
      ['group', group],
      ['of member', member],
      ['index', String(index)],
      ['term', String(term)],
      ['members', [...peers, ...oldPeers].join(', ')],
      ['size', formatSize(bytes)],
      [
        'taken',
        `${new Date(takenAtMs).toISOString()}, ${formatDuration(systemClock.wallMs() - takenAtMs)} ago`,
      ],
      ['checksums', isAtHand ? 'all fit' : 'not looked at: the member is running'],
    ]),
  )
  printLine(formatFiles(files))
}

async function lookThrough({ record, read }: SnapshotSource): Promise<void> {
  await withProgress('Looking through', record.bytes, async (onBytes) => {
    for (const file of record.files) for await (const piece of read(file)) onBytes(piece.length)
  })
}
