// `quorate recover`: the files of a stopped member become those of a group that can go on, when the majority is gone for good.

import { Argument, Command, Option } from 'commander'
import type { PeerId } from '../../rules/types.ts'
import { jsonOption, parseMembers, parseName } from '../common-options.ts'
import { EXIT_CODES_HELP } from '../exit.ts'
import { forcedPlan, refuseUnlessMeant } from '../forced-plan.ts'
import { formatPlan, quorumOf } from '../members/plan.ts'
import { printJson, printLine, say } from '../output.ts'
import { withStoppedGroup } from './stopped-group.ts'

interface RecoverFlags {
  readonly group: string
  readonly peers: readonly PeerId[]
  readonly force?: boolean
  readonly confirm?: string
  readonly json?: boolean
}

export function recoverCommand(): Command {
  const command = new Command('recover').description(
    'let a stopped member go on without a majority that is gone for good',
  )
  command.addArgument(new Argument('<dir>', 'its files: those whose log reaches furthest'))
  command.addOption(
    new Option('--group <name>', 'Raft group')
      .env('QUORATE_GROUP')
      .makeOptionMandatory()
      .argParser(parseName),
  )
  command.addOption(
    new Option('--peers <names>', 'all voters from now on, it among them, with commas')
      .makeOptionMandatory()
      .argParser(parseMembers),
  )
  command.option('--force', 'what only the others had acknowledged may be lost')
  command.addOption(new Option('--confirm <name>', "the group's name, typed once more").argParser(parseName))
  command.addOption(jsonOption())
  command.addHelpText(
    'after',
    `\nExample:\n  quorate recover ./n3 --group demo --peers n3
  quorate recover ./n3 --group demo --peers n3 --force --confirm demo
\nThe first shows what would be, and changes nothing. Do it on one member only; others that are named learn of it from
that one. The others must never be started again with their files.\n${EXIT_CODES_HELP}`,
  )
  return command.action((dataDir: string) => recover(dataDir, command.opts<RecoverFlags>()))
}

async function recover(dataDir: string, { group, peers, force, confirm, json }: RecoverFlags): Promise<void> {
  await withStoppedGroup(dataDir, group, async (stopped) => {
    const { id, identity, configuration, lastIndex, lacksPayload, write } = stopped
    const voters = `voters ${peers.join(', ')} (quorum ${quorumOf({ peers })})`
    const plan = forcedPlan({ configuration, peers, self: id, identity, lacksPayload }, [])
    if (plan === null) {
      if (json === true) printJson({ group, member: id, changed: false, peers })
      else printLine(`Nothing to do: for ${id} group ${group} has ${voters}.`)
      return
    }
    say(`Group ${group} in the files of ${id}, whose log ends at ${lastIndex}:\n${formatPlan(plan)}`)
    refuseUnlessMeant({
      ...{ typed: confirm, group, flag: '--confirm' },
      ...(force === undefined ? {} : { force }),
    })
    const { index, term } = await write(plan.target)
    if (json === true) {
      const { now: before, target: after } = plan
      printJson({ group, member: id, changed: true, before, after, index, term })
    } else
      printLine(
        `Group ${group} now has ${voters}, by entry ${index} of term ${term} in the files of ${id}. Start ${id} as before.`,
      )
  })
}
