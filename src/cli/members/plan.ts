// What a change makes of a group, before it is asked for: present and resulting members, quorum, and what may fail.

import type { ConfigurationInfo } from '../../api.ts'
import type { GroupStatus } from '../../client.ts'
import { type ChangeWish, judgeWish, roleOf } from '../../rules/change.ts'
import { isWitness, majorityOf, priorityOf, targets } from '../../rules/quorum.ts'
import { type Configuration, DEFAULT_PRIORITY, type PeerId } from '../../rules/types.ts'
import { CliError, ExitCode } from '../exit.ts'
import { formatTable } from '../output.ts'

export interface Plan {
  readonly now: Configuration
  readonly target: Configuration
  /** In sentences what somebody should know first. */
  readonly warnings: readonly string[]
}

/**
 * Null: the group is so already.
 * @throws CliError USAGE, in a sentence, for what cannot be.
 */
export function planOf(wish: ChangeWish, configuration: ConfigurationInfo, status: GroupStatus): Plan | null {
  const now: Configuration = configuration
  const verdict = judgeWish(now, wish)
  if (verdict.kind === 'invalid') throw new CliError(ExitCode.USAGE, verdict.why)
  if (verdict.kind === 'unchanged') return null
  return { now, target: verdict.target, warnings: warningsOf(verdict.target, now, status) }
}

function warningsOf(target: Configuration, now: Configuration, status: GroupStatus): string[] {
  const answering = new Set(status.members.map(({ id }) => id))
  const warnings: string[] = []
  const silent = targets(target).filter((id) => !answering.has(id))
  const coming = silent.filter((id) => roleOf(now, id) === null)
  const needed = majorityOf(target.peers.length)
  const voting = target.peers.filter((id) => answering.has(id)).length
  if (coming.length > 0)
    warnings.push(`${namesOf(coming)} does not answer yet: start it with "quorate serve --join" first.`)
  const gone = silent.filter((id) => !coming.includes(id))
  if (gone.length > 0) warnings.push(`${namesOf(gone)} does not answer.`)
  if (voting < needed)
    warnings.push(
      `Of ${namesOf(target.peers)} only ${voting} answer, and ${needed} are needed: it would be refused.`,
    )
  if (toleratedOf(target) === 0 && toleratedOf(now) > 0)
    warnings.push('Then the loss of any voter stops the group.')
  const holders = holdersOf(target)
  if (holders.length < target.peers.length)
    warnings.push(
      `Witnesses keep no data: it is on ${namesOf(holders)}. What one of them and a witness have acknowledged may be on that one alone.`,
    )
  const { leader } = status
  if (leader !== null && !target.peers.includes(leader))
    warnings.push(`${leader} leads: when it is done, it hands over to another one.`)
  return warnings
}

/** The voters that keep data: all but witnesses. */
export function holdersOf(configuration: Configuration): readonly PeerId[] {
  return configuration.peers.filter((id) => !isWitness(configuration, id))
}

/** How many voters may fail at a time. */
export function toleratedOf({ peers }: Configuration): number {
  return peers.length - majorityOf(peers.length)
}

/** Side by side. */
export function formatPlan({ now, target, warnings }: Plan): string {
  const rows: [string, (configuration: Configuration) => string][] = [
    ['voters', (each) => each.peers.map((id) => describeMember(each, id)).join(', ') || 'none'],
    [
      'learners',
      ({ learners = [], ...each }) => learners.map((id) => describeMember(each, id)).join(', ') || 'none',
    ],
    ...(hasWitness(now) || hasWitness(target) ? [dataRow] : []),
    ['quorum', quorumOf],
    ['may fail', (each) => toleratedWords(toleratedOf(each))],
  ]
  const table = formatTable(
    [
      { head: '', cell: ([name]: (typeof rows)[number]) => name },
      { head: 'now', cell: ([, cell]) => cell(now) },
      { head: 'then', cell: ([, cell]) => cell(target) },
    ],
    rows,
  )
  return [table, ...warnings].join('\n')
}

const hasWitness = ({ witnesses = [] }: Configuration): boolean => witnesses.length > 0

const dataRow: [string, (configuration: Configuration) => string] = [
  'keep data',
  (each) => holdersOf(each).join(', ') || 'none',
]

export function quorumOf({ peers }: Pick<Configuration, 'peers'>): string {
  return `${majorityOf(peers.length)} of ${peers.length}`
}

export function toleratedWords(count: number): string {
  return count === 0 ? 'none' : `any ${count}`
}

function describeMember(configuration: Configuration, id: PeerId): string {
  const priority = priorityOf(configuration, id)
  const marks = [
    ...(isWitness(configuration, id) ? ['witness'] : []),
    ...(priority === DEFAULT_PRIORITY ? [] : [`priority ${priority}`]),
  ]
  return marks.length === 0 ? id : `${id} (${marks.join(', ')})`
}

/** `n1, n2 and n3`. */
export function namesOf(ids: readonly PeerId[]): string {
  const last = ids.at(-1) ?? 'nobody'
  return ids.length < 2 ? last : `${ids.slice(0, -1).join(', ')} and ${last}`
}
