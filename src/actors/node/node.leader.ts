// Leading: the term's first entry, proposals, counting acknowledgements, check-quorum (braft become_leader, apply).

import { encodeConfiguration } from '../../log/configuration-codec.ts'
import { NO_FOLLOWER_LEASE, quorumIsAlive } from '../../rules/lease.ts'
import { firstProbe } from '../../rules/progress.ts'
import { judgeProposal } from '../../rules/proposal.ts'
import { mayServeReads } from '../../rules/read.ts'
import { EntryType, type LogEntry } from '../../rules/types.ts'
import type { Proposal } from '../apply/closures.ts'
import { BallotBox } from '../replication/ballot-box.ts'
import { PeerProgress } from '../replication/peer-progress.ts'
import type { TimerFired } from '../timer.machine.ts'
import type { Followership, NodeCore } from './node.core.ts'
import type { NodeEvent } from './node.events.ts'

type SpawnFollowership = (progress: PeerProgress) => Followership

/** Takes office. The ex-follower owes nobody a vote any more (trap T18). */
export function takeOffice(core: NodeCore, spawn: SpawnFollowership): void {
  core.vote = null
  core.versions++
  core.leader = core.id
  core.reason = 'ELECTION_WON'
  core.followerLease = NO_FOLLOWER_LEASE
  core.ballots = new BallotBox(core.log.lastIndex + 1)
  const nowMs = core.clock.nowMs()
  for (const peer of core.others) {
    core.followers.set(peer, spawn(new PeerProgress(peer, firstProbe(core.log.lastIndex), nowMs)))
  }
}

/**
 * The first entry of the term is the configuration in force. It commits everything of earlier terms, and leadership
 * begins for the user when it is applied (braft flush; paper section 8's no-op).
 */
export function appendFirstEntry(core: NodeCore): void {
  const index = core.log.lastIndex + 1
  const { peers, oldPeers } = core.configuration
  const data = encodeConfiguration(core.configuration)
  core.configuration = { peers, oldPeers, id: { index, term: core.term } }
  core.ballots?.judgeBy(core.configuration, index)
  core.closures.add(index, { kind: 'leaderStart', term: core.term })
  appendToLog(core, [{ index, term: core.term, type: EntryType.CONFIGURATION, data }])
}

function appendToLog(core: NodeCore, entries: readonly LogEntry[]): void {
  if (entries.length === 0) return
  core.logActor?.send({ type: 'append', entries })
  for (const { replicator } of core.followers.values()) replicator.send({ type: 'log.grew' })
}

/** One batch of proposals: indexes, memory, disk and followers in the same turn (design, a write step by step). */
export function appendProposals(core: NodeCore, proposals: readonly Proposal[]): void {
  const entries: LogEntry[] = []
  let index = core.log.lastIndex
  for (const proposal of proposals) {
    const verdict = judgeProposal(true, core.term, proposal.expectedTerm)
    if (verdict !== 'accept') {
      refuseProposal(core, proposal)
      continue
    }
    entries.push({ index: ++index, term: core.term, type: EntryType.DATA, data: proposal.data })
    core.closures.add(index, proposal)
  }
  appendToLog(core, entries)
}

export function refuseProposals(core: NodeCore, event: Extract<NodeEvent, { type: 'propose' }>): void {
  for (const proposal of event.proposals) refuseProposal(core, proposal)
}

function refuseProposal(core: NodeCore, proposal: Proposal): void {
  proposal.done({ ok: false, error: refusal(core, proposal.expectedTerm) })
}

/** Why this member takes no proposals now: in each case the command was not, and will not be, applied. */
export function refusal(core: NodeCore, expectedTerm?: number): ReturnType<NodeCore['error']> {
  const { id, group, term, role, leader } = core
  if (role === 'leader') {
    return core.error('TERM_MISMATCH', `The term is ${term}, not ${expectedTerm ?? 'unknown'} as expected.`)
  }
  if (role === 'error') {
    return core.error(
      'NODE_FAILED',
      `Member ${id} of ${group} has stopped: ${core.failure?.message ?? 'unknown error'}`,
    )
  }
  if (role === 'shuttingDown' || role === 'shutdown' || core.closing) {
    return core.error('SHUTDOWN', `Member ${id} of ${group} is closed.`)
  }
  if (leader === null) {
    return core.error('NO_LEADER', `Nobody is known to lead ${group}; try again shortly.`, {
      retryable: true,
    })
  }
  return core.error('NOT_LEADER', `Member ${id} does not lead ${group}; ${leader} does.`, { retryable: true })
}

/** What a member is known to hold durably; the leader's own part counts only when its disk has confirmed. */
export function countBallots(core: NodeCore): void {
  if (core.ballots === null) return
  const { log } = core
  const matchOf = (peer: string): number =>
    peer === core.id ? log.durableIndex : (core.followers.get(peer)?.progress.matchIndex ?? 0)
  core.commitTo(core.ballots.count(core.commitIndex, log.lastIndex, matchOf))
}

export function quorumIsLost(core: NodeCore, { firedMs }: TimerFired): boolean {
  return !quorumIsAlive(core.contact, core.tuning.electionTimeoutMs, firedMs)
}

/** The first entry of the term has been applied: reads are safe, leadership is established. */
export function isEstablished(core: NodeCore): boolean {
  return core.ballots !== null && mayServeReads(core.ballots.pendingIndex, core.appliedIndex)
}
