// `quorate snapshot export`: a snapshot becomes one file, to be kept elsewhere.

import { existsSync, rmSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import { clientOptions, parseMember } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { printJson, printLine } from '../output.ts'
import { exitCodeOfSignal, takeSignals } from '../signals.ts'
import { formatSize } from '../units.ts'
import { type SnapshotSource, unfinished, writeBackup } from './backup-file.ts'
import { withProgress } from './progress.ts'
import { type SourceFlags, withSource } from './source.ts'

export function exportCommand(): Command {
  const command = new Command('export').description('write the newest snapshot into one file: a backup')
  command.addArgument(new Argument('<file>', 'where to; it must not be there'))
  for (const option of clientOptions()) command.addOption(option)
  command.addOption(
    new Option('--member <name>', 'the running member to read from (default: the leader)').argParser(
      parseMember,
    ),
  )
  command.addOption(
    new Option('--data <dir>', "a stopped member's files, in the place of a running one").conflicts('member'),
  )
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate snapshot take --member n2 && quorate snapshot export monday.backup --member n2
  quorate snapshot export monday.backup --data ./n2\n\n${EXIT_CODES_HELP}`,
  )
  return command.action(async (file: string) => {
    const flags = command.opts<SourceFlags>()
    const groupIsGiven = command.getOptionValueSource('group') !== 'default'
    if (existsSync(file))
      throw new CliError(
        ExitCode.REFUSED,
        `${file} is there already, and nothing is overwritten: choose another name.`,
      )
    const source = await withSource(flags, groupIsGiven, (found) => write(file, found))
    tell(file, source, flags.json === true)
  })
}

async function write(file: string, source: SnapshotSource): Promise<SnapshotSource> {
  const removeUnfinished = (): void => rmSync(unfinished(file), { force: true })
  takeSignals((signal) => {
    removeUnfinished()
    process.exit(exitCodeOfSignal(signal))
  })
  try {
    await withProgress('Exporting', source.record.bytes, (onBytes) => writeBackup(file, source, onBytes))
  } finally {
    removeUnfinished()
  }
  return source
}

function tell(file: string, { group, member, record }: SnapshotSource, asJson: boolean): void {
  const { lastIncludedIndex: index, lastIncludedTerm: term } = record.meta
  if (asJson) printJson({ file, group, member, index, term, bytes: record.bytes, files: record.files.length })
  else
    printLine(
      `${file}: group ${group} up to index ${index}, term ${term}, of member ${member} (${formatSize(record.bytes)}).`,
    )
}
