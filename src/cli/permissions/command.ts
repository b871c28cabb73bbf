// `quorate permissions`: what nats-server has to be told, so that nobody can speak in a member's name.

import { Command, Option } from 'commander'
import { jsonOption, parseMembers, parseName, parseNames, prefixOption } from '../common-options.ts'
import { EXIT_CODES_HELP } from '../exit.ts'
import { printJson, printLine } from '../output.ts'
import { formatBlock, type Users, usersOf } from './block.ts'

interface PermissionsFlags extends Users {
  readonly prefix: string
  readonly group?: string
  readonly json?: boolean
}

export function permissionsCommand(): Command {
  const command = new Command('permissions').description(
    'print the authorization block of nats-server for members, clients and operators',
  )
  const names = (flag: string, who: string, parser: (text: string) => readonly string[]): Option =>
    new Option(`--${flag} <names>`, who).default([], 'none').argParser(parser)
  command.addOption(names('members', 'who is a member of a group, with commas', parseMembers))
  command.addOption(names('clients', 'who may send commands and reads', parseNames))
  command.addOption(names('operators', 'who may also watch everything, and administer', parseNames))
  command.addOption(prefixOption())
  command.addOption(new Option('--group <name>', 'one group only (default: all)').argParser(parseName))
  command.addOption(jsonOption())
  command.addHelpText(
    'after',
    `\nExample:\n  quorate permissions --members n1,n2,n3 --clients app,cli --operators ops > users.conf\n
Put \`include users.conf\` into the server's configuration, and start the server with the passwords in its environment:
PASSWORD_n1 and so on, with _ for every - of a name. Whoever connects gives its own name as the user, and its password
in QUORATE_PASSWORD. Members that carry several groups need --group left out.\n\n${EXIT_CODES_HELP}`,
  )
  return command.action(() => {
    const { members, clients, operators, prefix, group, json } = command.opts<PermissionsFlags>()
    const users = usersOf({ members, clients, operators }, { prefix, group })
    if (json === true) printJson({ prefix, group: group ?? null, users })
    else printLine(formatBlock(users))
  })
}
