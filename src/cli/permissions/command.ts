// `quorate permissions`: what nats-server has to be told, so that nobody can speak in a member's name.

import { Command, InvalidArgumentError, Option } from 'commander'
import { isUserPublicKey } from '../../transport/nats/nkeys.ts'
import { jsonOption, parseMembers, parseName, parseNames, prefixOption } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { formatBlock, type Identity, usersOf, variableOf } from './block.ts'
import { generateKeys, readKeys } from './keys.ts'

interface PermissionsFlags {
  readonly nodes: readonly string[]
  readonly members: readonly string[]
  readonly clients: readonly string[]
  readonly operators: readonly string[]
  readonly keys?: string
  readonly generateKeys?: string
  readonly key?: ReadonlyMap<string, string>
  readonly passwords?: boolean
  readonly account?: string
  readonly prefix: string
  readonly group?: string
  readonly json?: boolean
}

const HELP = `
Example:
  quorate permissions --nodes n1,n2,n3 --clients app --operators ops --generate-keys ./keys > users.conf
  quorate permissions --nodes n1,n2,n3 --clients app,cli --operators ops > users.conf

Put \`include users.conf\` into the configuration of every server. Whoever connects gives its own name and its seed:
--nkey ./keys/n1.nk, or QUORATE_NKEY. Without keys here, the servers find the public keys in their environment, as
NKEY_n1 and so on, with _ for every - of a name; with --passwords, passwords as PASSWORD_n1, and whoever connects has it
in QUORATE_PASSWORD. Members answer only users that are named here: name all of them each time, also when a member is
added. Members that carry several groups need --group left out.
`

export function permissionsCommand(): Command {
  const command = new Command('permissions').description(
    "print nats-server's users and permissions for members, clients and operators",
  )
  const names = (flag: string, who: string, parser: (text: string) => readonly string[]): Option =>
    new Option(`--${flag} <names>`, who).default([], 'none').argParser(parser)
  command.addOption(names('nodes', 'who is a member of a group, with commas', parseMembers))
  command.addOption(names('members', 'the same as --nodes', parseMembers).hideHelp())
  command.addOption(names('clients', 'who may send commands and reads', parseNames))
  command.addOption(names('operators', 'who may also watch everything, and administer', parseNames))
  command.addOption(new Option('--keys <dir>', 'their NKeys: NAME.pub, or NAME.nk (the seed)'))
  command.addOption(new Option('--generate-keys <dir>', 'the same, and make keys for who has none there'))
  command.addOption(new Option('--key <name=U…>', "a user's public key; repeatable").argParser(collectKey))
  command.addOption(new Option('--passwords', 'passwords in the place of NKeys'))
  command.addOption(
    new Option('--account <name>', 'an account of their own on the server').argParser(parseName),
  )
  command.addOption(prefixOption())
  command.addOption(new Option('--group <name>', 'one group only (default: all)').argParser(parseName))
  command.addOption(jsonOption())
  command.addHelpText('after', `${HELP}\n${EXIT_CODES_HELP}`)
  return command.action(async () => {
    const flags = command.opts<PermissionsFlags>()
    const { clients, operators, prefix, group, account } = flags
    const members = [...new Set([...flags.nodes, ...flags.members])]
    const named = { members, clients, operators }
    // Before any key is made: who is named wrongly gets none.
    usersOf(named, { prefix, group }, variables(flags))
    const identityOf = await identities(flags, [...members, ...clients, ...operators])
    const users = usersOf(named, { prefix, group }, identityOf)
    if (flags.json === true) printJson({ prefix, group: group ?? null, account: account ?? null, users })
    else printLine(formatBlock(users, account))
  })
}

function variables({ passwords }: PermissionsFlags): (name: string) => Identity {
  return passwords === true
    ? (name) => ({ user: name, password: `$${variableOf('PASSWORD', name)}` })
    : (name) => ({ nkey: `$${variableOf('NKEY', name)}` })
}

async function identities(
  flags: PermissionsFlags,
  names: readonly string[],
): Promise<(name: string) => Identity> {
  const { generateKeys: newKeys, keys: oldKeys, key = new Map<string, string>(), passwords } = flags
  const directory = newKeys ?? oldKeys
  const ways = [newKeys, oldKeys, passwords].filter((way) => way !== undefined)
  if (ways.length > 1 || (passwords === true && key.size > 0))
    throw new CliError(ExitCode.USAGE, 'Only one of --keys, --generate-keys and --passwords can be used.')
  const stranger = [...key.keys()].find((name) => !names.includes(name))
  if (stranger !== undefined)
    throw new CliError(ExitCode.USAGE, `--key is for ${stranger}, whom no other flag names.`)
  const others = names.filter((name) => !key.has(name))
  const made = newKeys === undefined ? [] : await generateKeys(newKeys, others)
  if (made.length > 0)
    say(`Made keys for ${made.join(', ')} in ${newKeys}: each NAME.nk belongs to its user alone.`)
  const found = directory === undefined ? new Map<string, string>() : await readKeys(directory, others)
  const orVariable = variables(flags)
  return (name) => {
    const nkey = key.get(name) ?? found.get(name)
    return nkey === undefined ? orVariable(name) : { nkey }
  }
}

function collectKey(text: string, before?: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf('=')
  const [name, key] = [parseName(text.slice(0, Math.max(0, at))), text.slice(at + 1)]
  if (isUserPublicKey(key)) return new Map([...(before ?? []), [name, key]])
  throw new InvalidArgumentError('It must be name=U…, with the public NKey of a user.')
}
