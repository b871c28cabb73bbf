// `quorate members readonly`: one member is sent no more commands, or is again.

import { Argument, Command } from 'commander'
import { members } from '../../rules/quorum.ts'
import { takesCommands } from '../../rules/readonly.ts'
import type { PeerId } from '../../rules/types.ts'
import { withAdmin } from '../admin-session.ts'
import { type ClientFlags, clientOptions, parseMember } from '../common-options.ts'
import { type ConfirmFlags, confirm } from '../confirm.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { statusOfEverybody } from './everybody.ts'
import { namesOf } from './plan.ts'

interface ReadonlyFlags extends ClientFlags, ConfirmFlags {}

export function readonlyCommand(): Command {
  const command = new Command('readonly').description('have a member sent no more commands, or end that')
  command.addArgument(new Argument('<member>', 'its name').argParser(parseMember))
  command.addArgument(new Argument('<state>', 'from now on').choices(['on', 'off']))
  for (const option of clientOptions()) command.addOption(option)
  command.option('--yes', 'do not ask')
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate members readonly n3 on --group demo\n  quorate members readonly n3 off --group demo
\nFor a disk that must not fill up. A leader that is read-only takes no commands, nor does a group without a majority of
members that are not. Reads, elections and changes of the members go on. A restart of the member ends it.
${EXIT_CODES_HELP}`,
  )
  return command.action((member: PeerId, state: string) =>
    setReadonly(member, state === 'on', command.opts<ReadonlyFlags>()),
  )
}

async function setReadonly(member: PeerId, on: boolean, flags: ReadonlyFlags): Promise<void> {
  const { group, nats, json } = flags
  await withAdmin(flags, async (admin) => {
    const status = await statusOfEverybody(admin, flags)
    const told = status.members.find(({ id }) => id === member)
    if (told === undefined)
      throw new CliError(ExitCode.FAILED, `No member ${member} of group ${group} answers on ${nats}.`)
    const readonly = status.members.filter(({ readonly: is, id }) => (id === member ? on : is))
    const isReadonly = (peer: PeerId): boolean => readonly.some(({ id }) => id === peer)
    const voters = members(told)
    const writable = voters.filter((peer) => !isReadonly(peer)).length
    const stops = !takesCommands(told, told.leader ?? '', isReadonly)
    if (on && !told.readonly) {
      const names = readonly.map(({ id }) => id)
      say(
        `Group ${group}: ${namesOf(names)} will be read-only, ${writable} of ${voters.length} voters will not.`,
      )
      if (stops) say('The group will take no commands.')
      await confirm(`Make ${member} read-only?`, flags)
    }
    if (told.readonly !== on) await admin.setReadonly(member, on)
    const changed = told.readonly !== on
    if (json === true) return printJson({ group, member, changed, readonly: on, takesCommands: !stops })
    const says = on ? 'is read-only' : 'is not read-only'
    printLine(changed ? `Member ${member} of ${group} ${says} now.` : `Nothing to do: ${member} ${says}.`)
  })
}
