// The doctor's look at a running group, from where it is asked.

import type { GroupStatus, QuorateClient } from '../../client.ts'
import { isQuorateError } from '../../errors.ts'
import { systemClock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { NodeStatus } from '../../status.ts'
import { formatCount } from '../output.ts'
import { checkSettings, checkVersions } from './agreement-checks.ts'
import { checkClocks } from './clock-checks.ts'
import { type Finding, fine, problem, warning } from './finding.ts'
import { spaceFinding } from './space.ts'
import { SLOW_SYNC_MS, SLOWEST_SYNC_MS } from './sync-checks.ts'

const SLOW_ANSWER_MS = 100
const LARGE_LAG = 10_000
const MUCH_UNDURABLE_BYTES = 8 * 1024 * 1024

/** @param tookMs how long it took until all had answered */
export function checkGroup(group: GroupStatus, tookMs: number): readonly Finding[] {
  const { members } = group
  if (members.length === 0)
    return [
      problem('members', 'No member answers: none is running, or the group, prefix or permissions differ.'),
    ]
  return [
    checkMembers(group),
    checkTwins(members),
    checkLeader(group),
    checkAnswers(group, tookMs),
    checkStates(members),
    checkVersions(members),
    ...checkSettings(members),
    checkClocks(group.clocks),
    ...members.flatMap((member) => checkMember(member, leaderOf(group))),
  ]
}

/** Whether a read that needs a majority comes back: the one proof that the group works. */
export async function checkRead(client: QuorateClient): Promise<Finding> {
  const startedMs = systemClock.nowMs()
  try {
    await client.read(null)
  } catch (error) {
    // The machine need not know the question: a leader that a majority confirmed has asked it.
    const wasAsked = isQuorateError(error) && (error.code === 'STATE_MACHINE' || error.code === 'UNSUPPORTED')
    if (!wasAsked) return problem('read', messageOf(error))
  }
  return fine(
    'read',
    `A read confirmed by a majority took ${Math.round(systemClock.nowMs() - startedMs)} ms.`,
  )
}

function leaderOf({ members, leader }: GroupStatus): NodeStatus | undefined {
  return members.find(({ id, role }) => id === leader && role === 'leader')
}

function checkMembers({ members, unreachable }: GroupStatus): Finding {
  const check = 'members'
  const total = new Set([...members.map(({ id }) => id), ...unreachable]).size
  const answering = `${total - unreachable.length} of ${total} answer`
  if (unreachable.length === 0) return fine(check, `${answering}.`)
  const away = `${unreachable.join(', ')} ${unreachable.length === 1 ? 'does' : 'do'} not`
  const left = total - unreachable.length
  const says = `${answering}; ${away}: start them, or see to their way to the bus.`
  return left * 2 > total ? warning(check, says) : problem(check, says)
}

/** Two processes under one name would vote twice. */
function checkTwins(members: readonly NodeStatus[]): Finding {
  const ids = members.map(({ id }) => id)
  const twins = [...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))]
  return twins.length === 0
    ? fine('names', 'Every member is one process.')
    : problem('names', `${twins.join(', ')}: two processes under one name. Stop one of them now.`)
}

function checkLeader(group: GroupStatus): Finding {
  const leader = leaderOf(group)
  return leader === undefined
    ? problem('leader', 'None: no majority is up, or members cannot reach one another.')
    : fine('leader', `${leader.id}, term ${leader.term}, committed to ${leader.commitIndex}.`)
}

function checkAnswers({ unreachable }: GroupStatus, tookMs: number): Finding {
  const says = `Members answered within ${Math.round(tookMs)} ms.`
  if (unreachable.length > 0) return fine('answers', 'Waited for those who do not answer.')
  return tookMs < SLOW_ANSWER_MS
    ? fine('answers', says)
    : warning('answers', `${says} Slow: the way to the bus, or a process that is held up.`)
}

/** Equal positions must mean equal states. */
function checkStates(members: readonly NodeStatus[]): Finding {
  const byIndex = new Map<number, { id: string; hash: string }>()
  for (const { id, appliedIndex, stateHash } of members) {
    if (stateHash === null) continue
    const other = byIndex.get(appliedIndex)
    if (other !== undefined && other.hash !== stateHash) {
      return problem(
        'states',
        `${other.id} and ${id} differ at index ${appliedIndex}: the state machine is not deterministic. Stop and investigate.`,
      )
    }
    byIndex.set(appliedIndex, { id, hash: stateHash })
  }
  return fine('states', 'Members at equal positions have equal states.')
}

function checkMember(status: NodeStatus, leader: NodeStatus | undefined): Finding[] {
  const check = `member ${status.id}`
  const { error, disk, appliedIndex, undurableBytes, resetPending, peers, refusesCommands } = status
  if (error !== null) return [problem(check, `Stopped itself: ${error}`)]
  if (resetPending) {
    const says = `Its members were forced to be ${peers.join(', ')}, and nobody has led them yet: start those, for a restart of this one forgets it.`
    return [problem(check, says)]
  }
  if (refusesCommands)
    return [problem(check, 'It leads and takes no commands, because it or too many others are read-only.')]
  if (disk?.blockedByReaderMs != null) {
    const seconds = Math.round(disk.blockedByReaderMs / 1000)
    const size = (disk.walBytes / 1_000_000).toFixed(1)
    return [
      warning(
        check,
        `Another program has been reading its database for ${seconds} s; the write-ahead log is ${size} MB and grows: end that program.`,
      ),
    ]
  }
  if (undurableBytes > MUCH_UNDURABLE_BYTES)
    return [warning(check, `${formatCount(undurableBytes)} bytes wait for its disk: the disk is too slow.`)]
  const ofDisk = diskFinding(check, disk)
  if (ofDisk !== null) return [ofDisk]
  const seen = leader?.replicators.find(({ peer }) => peer === status.id)
  if (seen?.counts === false) {
    return [
      warning(
        check,
        'Has come back with other files than it had: it does not count until it holds everything and the others have confirmed it.',
      ),
    ]
  }
  const lag = leader === undefined ? 0 : leader.commitIndex - appliedIndex
  return lag > LARGE_LAG
    ? [warning(check, `${formatCount(lag)} entries behind the leader: slow, or catching up.`)]
    : [fine(check, `${status.role}, applied to ${appliedIndex}.`)]
}

/** Of few writes a quantile says nothing. */
const ENOUGH_WRITES = 100

function diskFinding(check: string, disk: NodeStatus['disk']): Finding | null {
  if (disk?.freeBytes !== undefined) {
    const space = spaceFinding(check, disk.freeBytes)
    if (space.verdict !== 'ok') return space
  }
  if (disk?.writes === undefined || disk.writes.count < ENOUGH_WRITES) return null
  const { p50Ms, p99Ms } = disk.writes
  if (p50Ms <= SLOW_SYNC_MS && p99Ms <= SLOWEST_SYNC_MS) return null
  const says = `Its writes take up to ${formatCount(p50Ms)} ms at the median and ${formatCount(p99Ms)} ms at the 99th percentile to be durable`
  return warning(check, `${says}: use a faster disk, or see what else uses it.`)
}
