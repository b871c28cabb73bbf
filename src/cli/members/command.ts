// `quorate members`: who belongs to a group.

import { Command } from 'commander'
import {
  addCommand,
  demoteCommand,
  priorityCommand,
  promoteCommand,
  removeCommand,
  setCommand,
} from './change-commands.ts'
import { forgetCommand } from './forget-command.ts'
import { listCommand } from './list-command.ts'
import { readonlyCommand } from './readonly-command.ts'
import { resetCommand } from './reset-command.ts'

export function membersCommand(): Command {
  const command = new Command('members').description('show the members of a group, and change them')
  for (const each of [listCommand(), addCommand(), removeCommand(), setCommand()]) command.addCommand(each)
  for (const each of [
    promoteCommand(),
    demoteCommand(),
    priorityCommand(),
    readonlyCommand(),
    resetCommand(),
  ])
    command.addCommand(each)
  command.addCommand(forgetCommand())
  return command
}
