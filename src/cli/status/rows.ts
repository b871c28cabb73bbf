// A group's status as rows for people.

import type { GroupStatus } from '../../client.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { InstallationStatus, NodeStatus, ReplicatorStatus } from '../../status.ts'
import { sentenceOf } from '../exit.ts'
import { type Column, formatTable } from '../output.ts'
import { formatDuration, formatProgress } from '../units.ts'

interface Row {
  readonly id: string
  readonly status: NodeStatus | null
  /** Entries that the leader has committed and this member has not applied. */
  readonly lag: number | null
  /** Entries of the leader's log that it is not known to hold. */
  readonly logLag: number | null
  /** The leader's view of it. */
  readonly replicator: ReplicatorStatus | null
}

const number = (read: (status: NodeStatus) => number, head: string): Column<Row> => ({
  head,
  align: 'right',
  cell: ({ status }) => (status === null ? '' : String(read(status))),
})

const columns: readonly Column<Row>[] = [
  { head: 'member', cell: ({ id }) => id },
  { head: 'role', cell: describeRole },
  number(({ term }) => term, 'term'),
  { head: 'leader', cell: ({ status }) => status?.leader ?? '' },
  number(({ commitIndex }) => commitIndex, 'commit'),
  number(({ appliedIndex }) => appliedIndex, 'applied'),
  number(({ lastIndex }) => lastIndex, 'last log'),
  { head: 'apply lag', align: 'right', cell: ({ lag }) => shown(lag) },
  { head: 'log lag', align: 'right', cell: ({ logLag }) => shown(logLag) },
  {
    head: 'disk lag',
    align: 'right',
    cell: ({ status }) => shown(status === null ? null : status.lastIndex - status.durableIndex),
  },
  { head: 'snapshot', align: 'right', cell: describeSnapshot },
  { head: 'replication', cell: describeReplication },
  { head: 'state hash', cell: ({ status }) => status?.stateHash ?? '' },
]

/** @param transfers lines about snapshots under way */
export function formatStatus(group: GroupStatus, transfers: readonly string[]): string {
  const leader = group.members.find(({ id, role }) => role === 'leader' && id === group.leader)
  const rows = [
    ...group.members.map((status): Row => {
      const replicator = leader?.replicators.find(({ peer }) => peer === status.id) ?? null
      const lag = leader === undefined ? null : Math.max(0, leader.commitIndex - status.appliedIndex)
      return { id: status.id, status, lag, logLag: logLag(leader, replicator), replicator }
    }),
    ...group.unreachable.map((id): Row => {
      const replicator = leader?.replicators.find(({ peer }) => peer === id) ?? null
      return { id, status: null, lag: null, logLag: logLag(leader, replicator), replicator }
    }),
  ]
  const problems = group.members.flatMap((member) => [
    ...describeReset(member),
    ...describeReadonly(member),
    ...describeFiles(member),
    ...describeDisk(member),
    ...describeFailure(member),
  ])
  return [formatTable(columns, rows), ...transfers, ...problems].join('\n')
}

/** Of the leader itself there is none. */
function logLag(leader: NodeStatus | undefined, replicator: ReplicatorStatus | null): number | null {
  if (leader === undefined || replicator === null) return null
  return Math.max(0, leader.lastIndex - replicator.matchIndex)
}

const shown = (count: number | null): string => (count === null ? '' : String(count))

function describeRole({ status }: Row): string {
  if (status === null) return 'no answer'
  return status.membership === 'witness' ? `${status.role}, witness` : status.role
}

/** Index and age of the newest. */
function describeSnapshot({ status }: Row): string {
  const newest = status?.snapshot.newest
  if (newest == null) return ''
  return `${newest.index}, ${formatDuration(systemClock.wallMs() - newest.takenAtMs)} old`
}

function describeReset({ id, resetPending, peers }: NodeStatus): string[] {
  if (!resetPending) return []
  return [
    `${id}: its members were forced to be ${peers.join(', ')}, and nobody has led them yet: a restart of ${id} forgets it.`,
  ]
}

function describeReadonly({ id, readonly, refusesCommands }: NodeStatus): string[] {
  const own = readonly ? [`${id}: it is read-only, by the word of an operator.`] : []
  return refusesCommands
    ? [...own, `${id}: it leads and takes no commands, because it or too many others are read-only.`]
    : own
}

/** It is to hold data, and cannot. */
function describeFiles({ id, membership, withheldIndex }: NodeStatus): string[] {
  if (withheldIndex === 0 || !(membership === 'voter' || membership === 'learner')) return []
  return [
    `${id}: it is a ${membership} with the files of a witness, which hold no data: it neither leads nor counts. Remove it, wipe its files, and add it again.`,
  ]
}

function describeFailure({ id, snapshot }: NodeStatus): string[] {
  if (snapshot.lastError === null) return []
  return [`${id}: the last attempt at a snapshot failed: ${sentenceOf(snapshot.lastError)}`]
}

/** One line under the table for a disk that somebody should look after. */
function describeDisk({ id, disk }: NodeStatus): string[] {
  if (disk?.blockedByReaderMs == null) return []
  const seconds = Math.round(disk.blockedByReaderMs / 1000)
  const megabytes = (disk.walBytes / 1_000_000).toFixed(1)
  return [
    `${id}: another program has been reading its database for ${seconds} s; the write-ahead log has grown to ${megabytes} MB and goes on growing until that program is done.`,
  ]
}

function describeReplication({ status, replicator }: Row): string {
  if (status?.error != null) return `error: ${status.error}`
  if (replicator === null) return ''
  const { state, matchIndex, counts, inFlightEntries, lastContactMs, consecutiveErrors, installing } =
    replicator
  const parts = [`${state} to ${matchIndex}`]
  if (installing !== null) parts.push(describeInstallation(installing))
  if (!counts) parts.push('other files than it had: does not count yet')
  if (inFlightEntries > 0) parts.push(`${inFlightEntries} in flight`)
  parts.push(lastContactMs === null ? 'no contact yet' : `contact ${Math.round(lastContactMs)} ms ago`)
  if (consecutiveErrors > 0) parts.push(`${consecutiveErrors} errors`)
  return parts.join(', ')
}

function describeInstallation({ snapshotIndex, doneBytes, totalBytes }: InstallationStatus): string {
  return `snapshot ${snapshotIndex}: ${formatProgress(doneBytes, totalBytes, 0)}`
}
