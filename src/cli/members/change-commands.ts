// `quorate members add|remove|set|promote|demote|priority`: shows what will be, asks, and has it done.

import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { ConfigurationInfo, MemberSpec } from '../../api.ts'
import type { AdminChangeOptions, QuorateAdmin } from '../../client/admin.ts'
import type { Changed } from '../../protocol/admin-verbs.ts'
import type { ChangeWish, MemberRole, MemberWish } from '../../rules/change.ts'
import { targets } from '../../rules/quorum.ts'
import type { PeerId } from '../../rules/types.ts'
import { withAdmin } from '../admin-session.ts'
import { type ClientFlags, clientOptions, parseCount, parseMember } from '../common-options.ts'
import { type ConfirmFlags, confirm } from '../confirm.ts'
import { EXIT_CODES_HELP } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { statusOfEverybody } from './everybody.ts'
import { follow } from './follow.ts'
import { formatPlan, planOf, quorumOf } from './plan.ts'

interface ChangeFlags extends ClientFlags, ConfirmFlags {}

interface ChangeKind {
  readonly wish: ChangeWish
  readonly carryOut: (admin: QuorateAdmin, options: AdminChangeOptions) => Promise<Changed>
  /** False: it takes nothing from anybody, and is done without a question. */
  readonly asks: boolean
}

const ROLES = ['voter', 'witness', 'learner'] as const
const parsePriority = parseCount('priority points', 0, 1_000_000)

export function addCommand(): Command {
  const command = commandOf('add', 'make a process a member, once it has the log')
  command.addArgument(memberArgument())
  command.addOption(new Option('--role <role>', 'what it is to be').choices(ROLES).default('voter'))
  command.addOption(
    new Option('--priority <number>', 'who is to lead: the highest, 0 never').argParser(parsePriority),
  )
  helpOf(
    command,
    `quorate members add n4 --role learner --group demo
  quorate members add w1 --role witness --group demo
\nA witness votes and is counted, keeps no data, and never leads.`,
  )
  return command.action((id: PeerId, { role, priority }: { role: MemberRole; priority?: number }) => {
    const member = { id, role, ...(priority === undefined ? {} : { priority }) }
    return change(command.opts<ChangeFlags>(), {
      wish: { kind: 'add', member },
      carryOut: (admin, options) => admin.addPeer(member, options),
      asks: role !== 'learner',
    })
  })
}

export function removeCommand(): Command {
  const command = commandOf('remove', 'make a member a stranger; it may be the leader, and may be dead')
  command.addArgument(memberArgument())
  helpOf(command, 'quorate members remove n3 --group demo')
  return command.action((peer: PeerId) =>
    change(command.opts<ChangeFlags>(), {
      wish: { kind: 'remove', peer },
      carryOut: (admin, options) => admin.removePeer(peer, options),
      asks: true,
    }),
  )
}

export function setCommand(): Command {
  const command = commandOf('set', 'make these the members, whoever they were before')
  command.addArgument(
    new Argument('<members>', 'all of them, with commas; n4:learner or w1:witness for a role').argParser(
      parseSpecs,
    ),
  )
  helpOf(command, 'quorate members set n1,n2,n4:learner --group demo')
  return command.action((members: readonly MemberWish[]) =>
    change(command.opts<ChangeFlags>(), {
      wish: { kind: 'set', members },
      carryOut: (admin, options) => admin.changePeers(members.map(specOf), options),
      asks: true,
    }),
  )
}

export function promoteCommand(): Command {
  const command = commandOf('promote', 'let a learner vote, once it has caught up')
  command.addArgument(memberArgument())
  helpOf(command, 'quorate members promote n4 --group demo')
  return command.action((peer: PeerId) =>
    change(command.opts<ChangeFlags>(), {
      wish: { kind: 'promote', peer },
      carryOut: (admin, options) => admin.promote(peer, options),
      asks: true,
    }),
  )
}

export function demoteCommand(): Command {
  const command = commandOf('demote', 'make a voter a learner, which gets everything and counts nowhere')
  command.addArgument(memberArgument())
  helpOf(command, 'quorate members demote n3 --group demo')
  return command.action((peer: PeerId) =>
    change(command.opts<ChangeFlags>(), {
      wish: { kind: 'demote', peer },
      carryOut: (admin, options) => admin.demote(peer, options),
      asks: true,
    }),
  )
}

export function priorityCommand(): Command {
  const command = commandOf('priority', 'say who is to lead when several could: the highest, 0 never')
  command.addArgument(memberArgument())
  command.addArgument(new Argument('<number>', '100 unless it was set').argParser(parsePriority))
  helpOf(command, 'quorate members priority n1 200 --group demo')
  return command.action((peer: PeerId, priority: number) =>
    change(command.opts<ChangeFlags>(), {
      wish: { kind: 'prioritize', peer, priority },
      carryOut: (admin, options) => admin.setPriority(peer, priority, options),
      asks: priority === 0,
    }),
  )
}

function commandOf(name: string, description: string): Command {
  const command = new Command(name).description(description)
  for (const option of clientOptions()) command.addOption(option)
  return command.option('--yes', 'do not ask')
}

const memberArgument = (): Argument => new Argument('<member>', 'its name').argParser(parseMember)

function helpOf(command: Command, example: string): void {
  command.addHelpText(
    'after',
    `\nExample:\n  ${example}
\nThe members are read from the group. What is shown is what is done: when they change meanwhile, it is refused.
Ctrl-C ends the waiting, not the change.\n${EXIT_CODES_HELP}`,
  )
}

async function change(flags: ChangeFlags, { wish, carryOut, asks }: ChangeKind): Promise<void> {
  await withAdmin(flags, async (admin) => {
    const { group } = flags
    const now = await admin.members()
    const status = await statusOfEverybody(admin, flags)
    const plan = planOf(wish, now, status)
    if (plan === null) return tell(flags, { ok: true, before: now, after: now })
    if (flags.json !== true || asks)
      say(`Group ${group}, led by ${now.leader ?? 'nobody'}:\n${formatPlan(plan)}`)
    if (asks) await confirm(`Change the members of group ${group}?`, flags)
    const changed = await follow(group, (options) => carryOut(admin, { ...options, expect: targets(now) }))
    if (changed !== null) tell(flags, changed)
  })
}

function tell({ json, group }: ChangeFlags, { before, after }: Changed): void {
  const isChanged = after.index !== before.index
  if (json === true) return printJson({ group, changed: isChanged, before, after })
  const members = describe(after)
  printLine(
    isChanged ? `Group ${group} now has ${members}.` : `Nothing to do: group ${group} has ${members}.`,
  )
}

function describe(configuration: ConfigurationInfo): string {
  const { peers, learners, witnesses } = configuration
  const voters = `${peers.length === 1 ? 'voter' : 'voters'} ${peers.map((id) => describeVoter(id, witnesses)).join(', ')} (quorum ${quorumOf({ peers })})`
  return learners.length === 0 ? voters : `${voters}, learners ${learners.join(', ')}`
}

function describeVoter(id: PeerId, witnesses: readonly PeerId[]): string {
  return witnesses.includes(id) ? `${id} (witness)` : id
}

/** `n1,n2:learner`. */
function parseSpecs(text: string): readonly MemberWish[] {
  return text.split(',').map((each) => {
    const [name = '', role, ...rest] = each.trim().split(':')
    const id = parseMember(name)
    if (role === undefined) return { id }
    const known = ROLES.find((one) => one === role)
    if (known === undefined || rest.length > 0)
      throw new InvalidArgumentError(`A role is one of ${ROLES.join(', ')}, not "${role}".`)
    return { id, role: known }
  })
}

/** A bare name keeps the role that it has. */
function specOf({ id, role }: MemberWish): MemberSpec {
  return role === undefined ? id : { id, role }
}
