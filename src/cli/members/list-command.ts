// `quorate members list`: who belongs to a group, in what role, how each is, and what may fail.

import { Command } from 'commander'
import { authorityOf } from '../../client/status.ts'
import type { GroupStatus } from '../../client.ts'
import type { MemberStatus } from '../../protocol/admin-protocol.ts'
import { roleOf } from '../../rules/change.ts'
import { priorityOf, targets } from '../../rules/quorum.ts'
import { withClient } from '../client-session.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { type Column, formatTable, paint, printJson, printLine } from '../output.ts'
import { measure } from './follow.ts'
import { holdersOf, namesOf, quorumOf, toleratedOf, toleratedWords } from './plan.ts'

const ANSWER_WAIT_MS = 500

export function listCommand(): Command {
  const command = new Command('list').description('show who the members are, and how many may fail')
  for (const option of clientOptions()) command.addOption(option)
  command.addHelpText(
    'after',
    `\nExample:\n  quorate members list --group demo\n
Exit 3 when members answer but none leads, 1 when nobody answers.\n${EXIT_CODES_HELP}`,
  )
  return command.action(() => {
    const flags = command.opts<ClientFlags>()
    return withClient(flags, async (client) => {
      show(
        await client.status({ timeoutMs: Math.min(ANSWER_WAIT_MS, flags.timeout), everybody: true }),
        flags,
      )
    })
  })
}

export interface MemberRow {
  readonly id: string
  /** Null: it answers, and is no member. */
  readonly role: 'voter' | 'witness' | 'learner' | null
  readonly priority: number | null
  readonly leads: boolean
  readonly state: string
  /** Entries that the leader has committed and this one has not applied; null: it does not answer, or nobody leads. */
  readonly lag: number | null
}

function show(status: GroupStatus, flags: ClientFlags): void {
  const { group, nats, json } = flags
  const best = authorityOf(status)
  if (best === undefined)
    throw new CliError(ExitCode.FAILED, `No member of group ${group} answers on ${nats}.`)
  const rows = rowsOf(status, best)
  const { peers, oldPeers, change } = best
  if (json === true) {
    const tolerated = toleratedOf({ peers, oldPeers })
    printJson({
      group,
      leader: status.leader,
      term: best.term,
      members: rows,
      oldPeers,
      quorum: quorumOf(best),
      tolerated,
      change,
    })
  } else {
    const answering = rows.filter(
      ({ role, state }) => role !== null && role !== 'learner' && state !== 'no answer',
    )
    const leads = status.leader === null ? 'nobody leads' : `led by ${status.leader}`
    printLine(`${paint('bold', `Group ${group}`)}: ${leads} in term ${best.term}`)
    printLine(formatTable(columns, rows))
    if (peers.length === 0)
      throw new CliError(ExitCode.NO_LEADER, `No member of group ${group} answers on ${nats}.`)
    const votes = new Set([...peers, ...oldPeers]).size
    const fails = toleratedWords(toleratedOf({ peers, oldPeers }))
    printLine(`${answering.length} of ${votes} voters answer. Quorum ${quorumOf(best)}: ${fails} may fail.`)
    if (best.witnesses.length > 0)
      printLine(`The data is on ${namesOf(holdersOf(best))}; witnesses keep none.`)
    for (const line of describeChange(best)) printLine(line)
  }
  if (status.leader === null)
    throw new CliError(ExitCode.NO_LEADER, `Group ${group} has no leader at the moment.`)
}

const columns: readonly Column<MemberRow>[] = [
  { head: 'member', cell: ({ id }) => id },
  { head: 'is', cell: ({ role }) => role ?? 'no member' },
  { head: 'priority', align: 'right', cell: ({ priority }) => (priority === null ? '' : String(priority)) },
  { head: 'state', cell: ({ state }) => state },
  { head: 'lag', align: 'right', cell: ({ lag }) => (lag === null ? '' : String(lag)) },
]

function rowsOf({ members, leader }: GroupStatus, best: MemberStatus): readonly MemberRow[] {
  const named = targets(best)
  const others = members.map(({ id }) => id).filter((id) => !named.includes(id))
  return [...named, ...new Set(others)].map((id) => {
    const status = members.find((member) => member.id === id)
    const role = roleOf(best, id)
    return {
      ...{ id, role, priority: role === null ? null : priorityOf(best, id), leads: id === leader },
      state: stateOf(status, role === null),
      lag:
        status === undefined || leader === null ? null : Math.max(0, best.commitIndex - status.appliedIndex),
    }
  })
}

function stateOf(status: MemberStatus | undefined, isStranger: boolean): string {
  if (status === undefined) return 'no answer'
  if (!isStranger) return status.role
  return status.membership === 'removed' ? 'removed' : 'waits to be added'
}

function describeChange({ change }: MemberStatus): readonly string[] {
  if (change === null) return []
  const { what, words } = measure(change, 0)
  return [`The members are being changed. ${what}: ${words}.`]
}
