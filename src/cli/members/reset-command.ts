// `quorate members reset`: one running member is told who the members are, when the majority is gone for good.

import { Argument, Command, Option } from 'commander'
import type { MemberStatus } from '../../protocol/admin-protocol.ts'
import { isMember, majorityOf } from '../../rules/quorum.ts'
import { compareLogIds, type PeerId } from '../../rules/types.ts'
import { withAdmin } from '../admin-session.ts'
import { type ClientFlags, clientOptions, parseMember, parseMembers, parseName } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { forcedPlan, refuseUnlessMeant } from '../forced-plan.ts'
import { printJson, printLine, say } from '../output.ts'
import { statusOfEverybody } from './everybody.ts'
import { formatPlan, namesOf, quorumOf } from './plan.ts'

interface ResetFlags extends ClientFlags {
  readonly force?: boolean
  readonly groupAgain?: string
}

export function resetCommand(): Command {
  const command = new Command('reset').description(
    'force who the voters are, on one member: when a majority is gone for good',
  )
  command.addArgument(
    new Argument('<member>', 'who is told: the one whose log reaches furthest').argParser(parseMember),
  )
  command.addArgument(
    new Argument('<voters>', 'all voters from now on, it among them, with commas').argParser(parseMembers),
  )
  for (const option of clientOptions()) command.addOption(option)
  command.option('--force', 'what only the others had acknowledged may be lost')
  command.addOption(
    new Option('--group-again <name>', "the group's name, typed once more").argParser(parseName),
  )
  command.addHelpText(
    'after',
    `\nExample:\n  quorate members reset n3 n3 --group demo --force --group-again demo
\nWithout --force it only shows what would be. Where the member may be stopped, quorate recover is safer.
Exit 4 when the member is told and nobody leads the new set yet: until then a restart of it forgets it.
${EXIT_CODES_HELP}`,
  )
  return command.action((member: PeerId, peers: readonly PeerId[]) =>
    reset(member, peers, command.opts<ResetFlags>()),
  )
}

async function reset(member: PeerId, peers: readonly PeerId[], flags: ResetFlags): Promise<void> {
  const { group, nats, json, force, groupAgain } = flags
  await withAdmin(flags, async (admin) => {
    const status = await statusOfEverybody(admin, flags)
    const told = status.members.filter(({ id }) => id === member)
    const [one] = told
    if (one === undefined)
      throw new CliError(ExitCode.FAILED, `No member ${member} of group ${group} answers on ${nats}.`)
    if (told.length > 1)
      throw new CliError(ExitCode.REFUSED, `Two processes call themselves ${member}: stop one of them first.`)
    const lacksPayload = one.withheldIndex > 0
    const situation = { configuration: one, peers, self: member, identity: 0, lacksPayload }
    const plan = forcedPlan(situation, warningsOf(one, status.members))
    if (plan === null && !one.resetPending) return tell(flags, one, null)
    if (plan !== null) say(`Group ${group}, as ${member} knows it:\n${formatPlan(plan)}`)
    refuseUnlessMeant({
      ...{ typed: groupAgain, group, flag: '--group-again' },
      ...(force === undefined ? {} : { force }),
    })
    const changed = await admin.resetPeers(member, peers, { force: true, confirm: group })
    if (json === true)
      printJson({ group, member, changed: true, before: changed.before, after: changed.after })
    else tell(flags, changed.after, member)
  })
}

function tell(
  { group, json }: ResetFlags,
  { peers }: { readonly peers: readonly PeerId[] },
  by: string | null,
) {
  const voters = `voters ${peers.join(', ')} (quorum ${quorumOf({ peers })})`
  if (by === null && json === true) printJson({ group, changed: false, peers })
  else if (by === null) printLine(`Nothing to do: group ${group} has ${voters}.`)
  else printLine(`Group ${group} now has ${voters}: forced on ${by}, and written down.`)
}

/** Why somebody may not want it. */
function warningsOf(told: MemberStatus, answering: readonly MemberStatus[]): readonly string[] {
  const others = answering.filter(({ id }) => id !== told.id)
  const endOf = ({ lastTerm: term, lastIndex: index }: MemberStatus) => ({ term, index })
  const ahead = others.filter((other) => compareLogIds(endOf(other), endOf(told)) > 0)
  const voting = answering.filter(({ id }) => isMember(told, id))
  const warnings: string[] = []
  if (voting.length >= majorityOf(told.peers.length))
    warnings.push(
      `${namesOf(voting.map(({ id }) => id))} answer, which is a majority: nothing has to be forced. Use "quorate members set".`,
    )
  if (ahead.length > 0)
    warnings.push(
      `The log of ${namesOf(ahead.map(({ id }) => id))} reaches further than that of ${told.id}: tell that one instead.`,
    )
  return warnings
}
