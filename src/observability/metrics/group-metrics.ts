// The metrics of each group that a host carries. The list in docs/metrics.md is compared with this one by a test.

import type { ReplicatorStatus, Role } from '../../status.ts'
import { histogramOfGroup, inGroup, type Metric, type NumberMetric, ofGroup, sampleOf } from './definition.ts'

const ROLES: readonly Role[] = ['follower', 'candidate', 'leader', 'error', 'initializing', 'shuttingDown']
const MEMBERSHIPS = ['voter', 'witness', 'learner', 'waiting', 'removed'] as const
const SNAPSHOT_STATES = ['idle', 'saving', 'downloading', 'loading'] as const

/** 1 for the one that is so, 0 for the others. */
const oneOf = <Word extends string>(label: string, words: readonly Word[], now: Word) =>
  words.map((word) => sampleOf(word === now ? 1 : 0, { [label]: word }))

/** Of a leader, about each of the others. */
function ofPeer(
  name: string,
  help: string,
  read: (replicator: ReplicatorStatus, lastIndex: number) => number | null,
): NumberMetric {
  return inGroup('gauge', name, ['peer'], help, ({ status: { replicators, lastIndex } }) =>
    replicators.flatMap((replicator) => {
      const value = read(replicator, lastIndex)
      return value === null ? [] : [sampleOf(value, { peer: replicator.peer })]
    }),
  )
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)

const ROLE_METRICS: readonly Metric[] = [
  inGroup('gauge', 'quorate_role', ['role'], 'The role of this member: 1 for the one it has.', (node) =>
    oneOf('role', ROLES, node.status.role),
  ),
  ofGroup('gauge', 'quorate_term', 'The current term.', ({ status }) => status.term),
  ofGroup(
    'gauge',
    'quorate_leader_known',
    '1 when this member knows who leads.',
    ({ status }) => status.leader !== null,
  ),
  ofGroup(
    'gauge',
    'quorate_lease_valid',
    '1 when this member leads and its leader lease is valid.',
    (node) => node.status.leaseValid,
  ),
  ofGroup('gauge', 'quorate_leader_contact_age_seconds', 'Since a follower heard its leader last.', (node) =>
    node.status.role === 'follower' ? seconds(node.leaderContactMs) : null,
  ),
  inGroup(
    'counter',
    'quorate_elections_total',
    ['reason'],
    'How often this member stood for election.',
    ({ roles }) =>
      roles.flatMap(({ role, reason, count }) => (role === 'candidate' ? [sampleOf(count, { reason })] : [])),
  ),
  inGroup(
    'counter',
    'quorate_role_changes_total',
    ['role', 'reason'],
    'How often this member took a role.',
    ({ roles }) => roles.map(({ role, reason, count }) => sampleOf(count, { role, reason })),
  ),
]

const LOG_METRICS: readonly Metric[] = [
  ofGroup('gauge', 'quorate_log_first_index', 'Where the log begins.', ({ status }) => status.firstIndex),
  ofGroup('gauge', 'quorate_log_last_index', 'Where the log ends.', ({ status }) => status.lastIndex),
  ofGroup(
    'gauge',
    'quorate_log_durable_index',
    'As far as the log is on disk.',
    ({ status }) => status.durableIndex,
  ),
  ofGroup(
    'gauge',
    'quorate_log_entries',
    'Entries that the log holds.',
    ({ status }) => status.lastIndex - status.firstIndex + 1,
  ),
  ofGroup(
    'gauge',
    'quorate_log_undurable_bytes',
    'Entries that wait for the disk.',
    ({ status }) => status.undurableBytes,
  ),
  ofGroup(
    'gauge',
    'quorate_commit_index',
    'As far as the log is known to be committed.',
    ({ status }) => status.commitIndex,
  ),
  ofGroup(
    'gauge',
    'quorate_applied_index',
    'As far as the state machine has got.',
    ({ status }) => status.appliedIndex,
  ),
  ofGroup(
    'gauge',
    'quorate_apply_lag_entries',
    'Committed entries that wait to be applied.',
    ({ status }) => status.commitIndex - status.appliedIndex,
  ),
  ofPeer(
    'quorate_replication_lag_entries',
    'Entries of a leader that a peer is not known to hold.',
    ({ matchIndex }, last) => last - matchIndex,
  ),
  ofPeer(
    'quorate_replication_contact_age_seconds',
    'Since a peer answered its leader last.',
    ({ lastContactMs }) => seconds(lastContactMs),
  ),
  ofPeer(
    'quorate_replication_inflight_entries',
    'Entries sent to a peer and not answered.',
    ({ inFlightEntries }) => inFlightEntries,
  ),
  ofPeer(
    'quorate_replication_consecutive_errors',
    'Failed requests to a peer since the last good one.',
    ({ consecutiveErrors }) => consecutiveErrors,
  ),
]

const WORK_METRICS: readonly Metric[] = [
  ofGroup(
    'counter',
    'quorate_committed_entries_total',
    'Entries that this member has seen committed.',
    (node) => node.committedEntries,
  ),
  inGroup(
    'counter',
    'quorate_proposals_total',
    ['outcome', 'code'],
    'Proposals made at this member, by how they ended; `code` is OK or that of the error.',
    (node) => [
      sampleOf(node.appliedProposals, { outcome: 'applied', code: 'OK' }),
      ...node.failedProposals.map(({ code, outcome, count }) => sampleOf(count, { outcome, code })),
    ],
  ),
  ofGroup(
    'gauge',
    'quorate_proposals_pending',
    'Proposals that wait for their result.',
    ({ status }) => status.pendingProposals,
  ),
  ofGroup(
    'gauge',
    'quorate_proposals_pending_bytes',
    'The bytes of their commands.',
    ({ status }) => status.pendingBytes,
  ),
  histogramOfGroup(
    'quorate_commit_duration_seconds',
    "From a leader's append to the commit; one entry at a time is followed.",
    (node) => node.commitSeconds,
  ),
  histogramOfGroup(
    'quorate_apply_duration_seconds',
    'From the commit until it is applied; one entry at a time is followed.',
    (node) => node.applySeconds,
  ),
  histogramOfGroup(
    'quorate_append_batch_entries',
    'Entries that a leader appended at once.',
    (node) => node.appendEntries,
  ),
  ofGroup(
    'counter',
    'quorate_read_rounds_total',
    'Heartbeat rounds that a leader began for reads.',
    (node) => node.readRounds,
  ),
  ofGroup(
    'counter',
    'quorate_reads_total',
    'Reads that such rounds were begun for.',
    (node) => node.readsInRounds,
  ),
]

const SNAPSHOT_METRICS: readonly Metric[] = [
  inGroup(
    'gauge',
    'quorate_snapshot_state',
    ['state'],
    'What is done about snapshots now: 1 for what is.',
    (node) => oneOf('state', SNAPSHOT_STATES, node.status.snapshot.state),
  ),
  ofGroup(
    'gauge',
    'quorate_snapshot_index',
    'The last entry that the newest snapshot stands for.',
    ({ status }) => status.snapshot.newest?.index ?? null,
  ),
  ofGroup(
    'gauge',
    'quorate_snapshot_size_bytes',
    'Of the newest snapshot.',
    ({ status }) => status.snapshot.newest?.bytes ?? null,
  ),
  ofGroup(
    'gauge',
    'quorate_snapshot_taken_timestamp_seconds',
    'When the newest snapshot was taken.',
    ({ status }) => seconds(status.snapshot.newest?.takenAtMs ?? null),
  ),
  ofGroup(
    'gauge',
    'quorate_snapshot_last_duration_seconds',
    'How long the last one took to save or load.',
    ({ status }) => seconds(status.snapshot.lastDurationMs),
  ),
  ofGroup(
    'counter',
    'quorate_snapshot_saves_total',
    'Snapshots that were taken.',
    ({ status }) => status.snapshot.saves,
  ),
  ofGroup(
    'counter',
    'quorate_snapshot_failures_total',
    'Snapshots that could not be taken.',
    ({ status }) => status.snapshot.failures,
  ),
]

const MEMBER_METRICS: readonly Metric[] = [
  inGroup(
    'gauge',
    'quorate_members',
    ['kind'],
    'Members by the configuration in force here.',
    ({ status }) => [
      sampleOf(status.peers.length - status.witnesses.length, { kind: 'voter' }),
      sampleOf(status.witnesses.length, { kind: 'witness' }),
      sampleOf(status.learners.length, { kind: 'learner' }),
    ],
  ),
  inGroup(
    'gauge',
    'quorate_membership',
    ['membership'],
    'What this member is to its group: 1 for what it is.',
    (node) => oneOf('membership', MEMBERSHIPS, node.status.membership),
  ),
  ofGroup(
    'gauge',
    'quorate_members_changing',
    '1 while the members change.',
    (node) => node.changeStage !== 'none',
  ),
]

export const GROUP_METRICS: readonly Metric[] = [
  ...ROLE_METRICS,
  ...LOG_METRICS,
  ...WORK_METRICS,
  ...SNAPSHOT_METRICS,
  ...MEMBER_METRICS,
]
