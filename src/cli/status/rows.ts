// A group's status as rows for people.

import type { GroupStatus } from '../../client.ts'
import type { InstallationStatus, NodeStatus, ReplicatorStatus } from '../../status.ts'
import { type Column, formatTable } from '../output.ts'

interface Row {
  readonly id: string
  readonly status: NodeStatus | null
  /** Entries that the leader has committed and this member has not applied. */
  readonly lag: number | null
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
  { head: 'role', cell: ({ status }) => status?.role ?? 'no answer' },
  number(({ term }) => term, 'term'),
  { head: 'leader', cell: ({ status }) => status?.leader ?? '' },
  number(({ commitIndex }) => commitIndex, 'commit'),
  number(({ appliedIndex }) => appliedIndex, 'applied'),
  number(({ lastIndex }) => lastIndex, 'last log'),
  { head: 'lag', align: 'right', cell: ({ lag }) => (lag === null ? '' : String(lag)) },
  { head: 'replication', cell: describeReplication },
  { head: 'state hash', cell: ({ status }) => status?.stateHash ?? '' },
]

export function formatStatus(group: GroupStatus): string {
  const leader = group.members.find(({ id, role }) => role === 'leader' && id === group.leader)
  const rows = [
    ...group.members.map((status): Row => {
      const replicator = leader?.replicators.find(({ peer }) => peer === status.id) ?? null
      const lag = leader === undefined ? null : Math.max(0, leader.commitIndex - status.appliedIndex)
      return { id: status.id, status, lag, replicator }
    }),
    ...group.unreachable.map((id): Row => {
      const replicator = leader?.replicators.find(({ peer }) => peer === id) ?? null
      return { id, status: null, lag: null, replicator }
    }),
  ]
  return [formatTable(columns, rows), ...group.members.flatMap(describeDisk)].join('\n')
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
  const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1)
  return `snapshot ${snapshotIndex}: ${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`
}
