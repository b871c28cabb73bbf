// `quorate serve`: the flags of one member as a process.

import { Command, InvalidArgumentError, Option } from 'commander'
import { type HttpAddress, parseHttpAddress } from '../../observability/http/address.ts'
import { messageOf } from '../../runtime/errors.ts'
import {
  accessOptions,
  groupOption,
  jsonOption,
  natsOption,
  parseMember,
  parseMembers,
  prefixOption,
} from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { LOG_LEVELS } from '../logger.ts'
import type { ServeFlags } from './flags.ts'
import { tuningOf, tuningOptions } from './tuning-flags.ts'

export function serveCommand(): Command {
  const command = new Command('serve').description('run one member of a group as a process')
  command.argument('[machine]', 'the same as --machine')
  command.addOption(
    new Option('--id <name>', "this member's name").makeOptionMandatory().argParser(parseMember),
  )
  command.addOption(
    new Option('--peers <names>', 'all members of a new group, with commas; left out: wait to be added')
      .default([], 'none')
      .argParser(parseMembers),
  )
  command.addOption(
    new Option('--join', 'wait to be added to a group that is there, and show how far it is').conflicts(
      'peers',
    ),
  )
  command.addOption(new Option('--data <dir>', "this member's files").makeOptionMandatory())
  command.addOption(
    new Option(
      '--trust <names>',
      'members that count though they lost their files; for a group without majority',
    )
      .default([], 'none')
      .argParser(parseMembers),
  )
  command.addOption(groupOption()).addOption(natsOption()).addOption(prefixOption())
  for (const option of accessOptions()) command.addOption(option)
  command.addOption(
    new Option(
      '--machine <file>',
      'module that exports a state machine, or a machine of XState (default: key-value)',
    ),
  )
  command.addOption(
    new Option('--log-level <level>', 'least level to log').choices(LOG_LEVELS).default('info'),
  )
  command.addOption(
    new Option(
      '--http <address>',
      'serve a page, /status, /raft_stat, /livez, /readyz and /metrics at HOST:PORT or PORT (default: off; a port alone: loopback)',
    ).argParser(parseHttp),
  )
  command.addOption(jsonOption().default(undefined, 'JSON lines unless stdout is a terminal'))
  for (const option of tuningOptions()) command.addOption(option)
  command.addHelpText(
    'after',
    `\nExample:\n  quorate serve --id n1 --peers n1,n2,n3 --group demo --data ./n1 --nats nats://127.0.0.1:4222
  quorate serve --id n4 --join --group demo --data ./n4 --nats nats://127.0.0.1:4222
  quorate serve order.machine.js --id n1 --peers n1,n2,n3 --group orders --data ./n1\n
With --join it needs to know no other member: it says which command adds it. SIGTERM or Ctrl-C hands leadership over, settles what is pending and stops; a second one stops at once.\n${EXIT_CODES_HELP}`,
  )
  return command.action(async (machine?: string) => {
    const flags = flagsWith(command.opts<ServeFlags>(), machine)
    if (flags.peers.length > 0 && !flags.peers.includes(flags.id)) {
      const text = `--id ${flags.id} is not one of --peers ${flags.peers.join(',')}.`
      throw new CliError(ExitCode.USAGE, text)
    }
    const tuning = tuningOf(flags)
    const { serve } = await import('./serve.ts')
    await serve(flags, tuning)
  })
}

function flagsWith(flags: ServeFlags, machine: string | undefined): ServeFlags {
  if (machine === undefined) return flags
  if (flags.machine === undefined || flags.machine === machine) return { ...flags, machine }
  throw new CliError(
    ExitCode.USAGE,
    `Two machines are named, ${machine} and ${flags.machine}: one member carries one.`,
  )
}

function parseHttp(text: string): HttpAddress {
  try {
    return parseHttpAddress(text)
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error))
  }
}
