// `/raft_stat`: every member of this process in braft's words (braft RaftStat, NodeImpl::describe), for tools and people that
// know them.

import type { ChangeStage } from '../../rules/change.ts'
import type { NodeStatus, ReplicatorStatus, Role } from '../../status.ts'
import type { HostFigures, NodeFigures } from '../figures.ts'

const STATES: Readonly<Record<Role, string>> = {
  uninitialized: 'UNINITIALIZED',
  initializing: 'UNINITIALIZED',
  follower: 'FOLLOWER',
  candidate: 'CANDIDATE',
  leader: 'LEADER',
  error: 'ERROR',
  shuttingDown: 'SHUTTING',
  shutdown: 'SHUTDOWN',
}

const STAGES: Readonly<Record<ChangeStage, string>> = {
  none: 'STAGE_NONE',
  catchingUp: 'STAGE_CATCHING_UP',
  joint: 'STAGE_JOINT',
  stable: 'STAGE_STABLE',
}

const SNAPSHOT_STATES: Readonly<Record<NodeStatus['snapshot']['state'], string>> = {
  idle: 'IDLE',
  saving: 'SAVING',
  downloading: 'DOWNLOADING',
  loading: 'LOADING',
}

/** Of all groups, or of one; undefined when there is no such group here. */
export function raftStat({ nodes }: HostFigures, group?: string): string | undefined {
  const chosen = group === undefined ? nodes : nodes.filter(({ status }) => status.group === group)
  if (group !== undefined && chosen.length === 0) return undefined
  return chosen.map(describe).join('\n')
}

function describe(node: NodeFigures): string {
  const { status } = node
  const lines = [
    `[${status.group}]`,
    `peer_id: ${status.id}`,
    `state: ${stateOf(status)}`,
    `readonly: ${Number(status.refusesCommands)}`,
    `term: ${status.term}`,
    `conf_index: ${node.configurationIndex}`,
    `peers: ${[...status.peers, ...status.learners].join(' ')}`,
    ...roleLines(node),
    ...timerLines(node),
    `storage: [${status.firstIndex}, ${status.lastIndex}]`,
    `disk_index: ${status.durableIndex}`,
    `known_applied_index: ${status.appliedIndex}`,
    `last_log_id: (index=${status.lastIndex},term=${status.lastTerm})`,
    `state_machine: ${machineOf(status)}`,
    `last_committed_index: ${status.commitIndex}`,
    ...pendingLines(status),
    ...snapshotLines(status),
    ...status.replicators.map((replicator) => replicatorLine(status, replicator)),
  ]
  return `${lines.join('\n')}\n`
}

function stateOf({ role, state }: NodeStatus): string {
  return role === 'leader' && state.includes('transferring') ? 'TRANSFERRING' : STATES[role]
}

function roleLines({ status, changeStage, leaderContactMs }: NodeFigures): readonly string[] {
  const { role, leader, peers, oldPeers } = status
  if (role === 'follower')
    return [`leader: ${leader ?? ''}`, `last_msg_to_now: ${leaderContactMs ?? 'never'}`]
  if (role !== 'leader') return []
  const isChanging = changeStage !== 'none'
  const sets = isChanging ? [`new_peers: ${peers.join(' ')}`, `old_peers: ${oldPeers.join(' ')}`] : []
  return [`changing_conf: ${isChanging ? 'YES' : 'NO'} stage: ${STAGES[changeStage]}`, ...sets]
}

/** A timer runs where its role needs it (docs/divergence.md). */
function timerLines({
  status: { role },
  electionTimeoutMs,
  snapshotIntervalMs,
}: NodeFigures): readonly string[] {
  const timer = (name: string, ms: number, runs: boolean): string =>
    `${name}: timeout(${ms}ms) ${runs ? 'SCHEDULING' : 'STOPPED'}`
  const isUp = role === 'follower' || role === 'candidate' || role === 'leader'
  return [
    timer('election_timer', electionTimeoutMs, role === 'follower'),
    timer('vote_timer', electionTimeoutMs, role === 'candidate'),
    timer('stepdown_timer', electionTimeoutMs, role === 'leader'),
    timer('snapshot_timer', snapshotIntervalMs, isUp && snapshotIntervalMs > 0),
  ]
}

function machineOf({ appliedIndex, commitIndex, snapshot: { state } }: NodeStatus): string {
  if (state === 'loading') return 'Loading snapshot'
  if (state === 'saving') return 'Saving snapshot'
  return appliedIndex < commitIndex ? `Applying log_index=${appliedIndex + 1}` : 'Idle'
}

function pendingLines({ role, commitIndex, lastIndex }: NodeStatus): readonly string[] {
  if (role !== 'leader' || lastIndex <= commitIndex) return []
  return [`pending_index: ${commitIndex + 1}`, `pending_queue_size: ${lastIndex - commitIndex}`]
}

function snapshotLines({ snapshot }: NodeStatus): readonly string[] {
  return [
    `last_snapshot_index: ${snapshot.newest?.index ?? 0}`,
    `last_snapshot_term: ${snapshot.newest?.term ?? 0}`,
    `snapshot_status: ${SNAPSHOT_STATES[snapshot.state]}`,
  ]
}

function replicatorLine({ id }: NodeStatus, replicator: ReplicatorStatus): string {
  const { peer, nextIndex, inFlightEntries, consecutiveErrors } = replicator
  const errors = consecutiveErrors === 0 ? '' : ` consecutive_error_times=${consecutiveErrors}`
  return `replicator_${id}@${peer}: next_index=${nextIndex} flying_append_entries_size=${inFlightEntries} ${doingOf(replicator)}${errors}`
}

function doingOf({ state, nextIndex, inFlightEntries, installing }: ReplicatorStatus): string {
  if (installing !== null) return `installing snapshot {${installing.snapshotIndex}}`
  if (state === 'blocked') return 'blocking'
  return inFlightEntries === 0 ? 'idle' : `appending [${nextIndex - inFlightEntries}, ${nextIndex - 1}]`
}
