// `quorate leader`: who leads a group, and that it should be somebody else.

import { Argument, Command } from 'commander'
import { withAdmin } from '../admin-session.ts'
import { type ClientFlags, clientOptions, parseMember } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { follow } from '../members/follow.ts'
import { printJson, printLine } from '../output.ts'

const ANSWER_WAIT_MS = 500

export function leaderCommand(): Command {
  const command = new Command('leader').description('show who leads a group, and hand leadership over')
  return command.addCommand(showCommand()).addCommand(transferCommand())
}

function showCommand(): Command {
  const command = new Command('show').description('say who leads')
  for (const option of clientOptions()) command.addOption(option)
  command.addHelpText('after', `\nExample:\n  quorate leader show --group demo\n\n${EXIT_CODES_HELP}`)
  return command.action(() => {
    const flags = command.opts<ClientFlags>()
    return withAdmin(flags, async (admin) => {
      const { group, nats, timeout, json } = flags
      const { leader, members } = await admin.status({ timeoutMs: Math.min(ANSWER_WAIT_MS, timeout) })
      const term = members.find(({ id }) => id === leader)?.term
      if (members.length === 0)
        throw new CliError(ExitCode.FAILED, `No member of group ${group} answers on ${nats}.`)
      if (leader === null || term === undefined)
        throw new CliError(ExitCode.NO_LEADER, `Group ${group} has no leader at the moment.`)
      if (json === true) printJson({ group, leader, term })
      else printLine(`${leader} leads group ${group} in term ${term}.`)
    })
  })
}

function transferCommand(): Command {
  const command = new Command('transfer').description(
    'have another member lead, without a pause that one would notice',
  )
  command.addArgument(new Argument('[member]', 'who (default: the best there is)').argParser(parseMember))
  for (const option of clientOptions()) command.addOption(option)
  command.addHelpText(
    'after',
    `\nExample:\n  quorate leader transfer n2 --group demo\n  quorate leader transfer --group demo
\nBefore a member is taken down for maintenance. Commands meanwhile wait for the new leader.\n${EXIT_CODES_HELP}`,
  )
  return command.action((to: string | undefined) => {
    const flags = command.opts<ClientFlags>()
    return withAdmin(flags, async (admin) => {
      const { group, json, timeout } = flags
      const { leader: before } = await admin.status({ timeoutMs: Math.min(ANSWER_WAIT_MS, timeout) })
      const now = await follow(group, (options) => admin.transferLeadership(to, options))
      if (now === null) return
      const { leader, term } = now
      if (json === true) return printJson({ group, leader, term, before })
      const was = before === null || before === leader ? '' : ` ${before} led before.`
      printLine(`${leader} leads group ${group} in term ${term}.${was}`)
    })
  })
}
