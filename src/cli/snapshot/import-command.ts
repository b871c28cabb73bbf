// `quorate snapshot import`: a backup becomes the directory of the first member of a new group.

import { rmSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import { jsonOption, parseMember, parseMembers, parseName } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { printJson, printLine } from '../output.ts'
import { exitCodeOfSignal, takeSignals } from '../signals.ts'
import { formatSize } from '../units.ts'
import { openBackup } from './backup-file.ts'
import { prepareImport } from './import-backup.ts'
import { withProgress } from './progress.ts'

interface ImportFlags {
  readonly data: string
  readonly id: string
  readonly peers: readonly string[]
  readonly group?: string
  readonly json?: boolean
}

export function importCommand(): Command {
  const command = new Command('import').description("make a new group's directory of a backup")
  command.addArgument(new Argument('<file>', 'the backup'))
  command.addOption(
    new Option('--id <name>', 'the member that the directory is for')
      .makeOptionMandatory()
      .argParser(parseMember),
  )
  command.addOption(
    new Option('--peers <names>', 'all members of the new group, with commas')
      .makeOptionMandatory()
      .argParser(parseMembers),
  )
  command.addOption(
    new Option('--data <dir>', 'where to; it must not be there, or be empty').makeOptionMandatory(),
  )
  command.addOption(
    new Option('--group <name>', "the new group's name (default: that of the old one)").argParser(parseName),
  )
  command.addOption(jsonOption())
  command.addHelpText(
    'after',
    `\nExample:\n  quorate snapshot import monday.backup --id r1 --peers r1,r2,r3 --data ./r1
  quorate serve --id r1 --peers r1,r2,r3 --data ./r1
\nImport it for r1 alone, and start r2 and r3 with empty directories and without --peers: they vote for r1, and get the
state from it.\n${EXIT_CODES_HELP}`,
  )
  return command.action((file: string) => runImport(file, command.opts<ImportFlags>()))
}

async function runImport(file: string, flags: ImportFlags): Promise<void> {
  const { id, peers, data: dataDir, json } = flags
  if (!peers.includes(id))
    throw new CliError(ExitCode.USAGE, `--id ${id} is not one of --peers ${peers.join(',')}.`)
  const backup = await openBackup(file)
  const { record } = backup
  const group = flags.group ?? backup.group
  let unfinished: string | null = null
  const removeUnfinished = (): void => {
    if (unfinished !== null)
      rmSync(unfinished, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  }
  takeSignals((signal) => {
    removeUnfinished()
    process.exit(exitCodeOfSignal(signal))
  })
  try {
    const prepared = await prepareImport({ dataDir, id, group, peers })
    unfinished = prepared.unfinished
    await withProgress('Importing', record.bytes, (onBytes) => prepared.run(backup, onBytes))
    unfinished = null
  } finally {
    removeUnfinished()
    await backup.close()
  }
  const { lastIncludedIndex: index, lastIncludedTerm: term } = record.meta
  if (json === true) printJson({ group, id, peers, data: dataDir, index, term, bytes: record.bytes })
  else {
    printLine(
      `${dataDir} holds group ${group} up to index ${index} (${formatSize(record.bytes)}), for member ${id} of ${peers.join(',')}.`,
    )
  }
}
