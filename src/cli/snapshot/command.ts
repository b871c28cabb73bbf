// `quorate snapshot`: the commands about snapshots and backups.

import { Command } from 'commander'
import { EXIT_CODES_HELP } from '../exit.ts'
import { exportCommand } from './export-command.ts'
import { importCommand } from './import-command.ts'
import { inspectCommand } from './inspect-command.ts'
import { listCommand } from './list-command.ts'
import { takeCommand } from './take-command.ts'

export function snapshotCommand(): Command {
  const snapshot = new Command('snapshot').description(
    'take snapshots, look at them, and make backups of them',
  )
  snapshot.addHelpText(
    'after',
    `\nExample:\n  quorate snapshot take --member n2 && quorate snapshot export monday.backup --member n2\n\n${EXIT_CODES_HELP}`,
  )
  snapshot.addCommand(takeCommand()).addCommand(listCommand()).addCommand(inspectCommand())
  return snapshot.addCommand(exportCommand()).addCommand(importCommand())
}
