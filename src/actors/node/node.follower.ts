// Taking entries from a leader: carries out what rules/append.ts decides, and answers when the disk has confirmed.

import { decodeConfiguration } from '../../log/configuration-codec.ts'
import { agreesAt, decideAppend, followerCommitIndex } from '../../rules/append.ts'
import { describeConflict } from '../../rules/conflict.ts'
import { assertTruncation, InvariantError } from '../../rules/invariants.ts'
import { judgeSender, type SenderVerdict } from '../../rules/term.ts'
import { EntryType, type LogEntry, type LogIndex } from '../../rules/types.ts'
import { passes } from '../../runtime/trace-points.ts'
import type { Reply } from '../../transport/rpc/peer-rpc.ts'
import type { AppendEntriesRequest } from '../../transport/wire/messages/registry.ts'
import { refreshConfiguration } from './node.configuration.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf, FROM_LEADER } from './node.events.ts'
import { adoptLeader } from './node.term.ts'
import { noteFiles, refusesData } from './node.witness.ts'

export type LeaderEvent = EventOf<(typeof FROM_LEADER)[number]>

export function senderOf(core: NodeCore, event: LeaderEvent): SenderVerdict {
  return judgeSender(core.roleInTerm, event.from, event.message.term)
}

export function refuseSender(core: NodeCore, event: LeaderEvent): void {
  if (event.type === 'rpc.install_snapshot')
    return core.answer(event.reply, { term: core.term, state: 'busy', doneBytes: 0, totalBytes: 0 })
  core.answer(event.reply, { term: core.term, success: false, lastLogIndex: core.log.lastIndex })
}

/** Every accepted message of the leader renews the promise to it, heartbeats included. */
export function followSender(core: NodeCore, event: LeaderEvent): void {
  adoptLeader(core, event.from, 'NEW_LEADER')
  core.following.heard(event.from, event.receivedMs)
}

/** Heartbeat: nothing to store; the position it names says how far the commit index may be believed. */
export function acceptHeartbeat(core: NodeCore, event: EventOf<'rpc.heartbeat'>): void {
  const { prevLogIndex, prevLogTerm, committedIndex } = event.message
  const success = agreesAt(core.log, { index: prevLogIndex, term: prevLogTerm })
  if (success) vouch(core, committedIndex, prevLogIndex)
  if (success) acknowledge(core, event.reply)
  else core.answer(event.reply, { term: core.term, success, lastLogIndex: core.log.lastIndex })
}

export function acceptAppend(core: NodeCore, event: EventOf<'rpc.append_entries'>): void {
  const { message, reply } = event
  const unreadable = message.entries.find(
    (e) => e.type === EntryType.CONFIGURATION && decodeConfiguration(e) === null,
  )
  if (unreadable !== undefined) {
    const problem = `The configuration entry at index ${unreadable.index} cannot be read.`
    core.logger.error({ group: core.group, from: event.from, term: message.term }, problem)
    core.outbox.post(() => reply({ ok: false, error: { code: 'EINVAL', message: problem } }))
    return
  }
  if (refusesData(core, message, reply)) return
  passes('frame read')
  const { firstIndex, lastIndex } = core.log
  // What a leader of any term has vouched for is as settled as what is committed here.
  const commitIndex = Math.max(core.commitIndex, core.following.vouchedCommitIndex)
  const log = { firstIndex, lastIndex, commitIndex, termAt: (index: number) => core.log.termAt(index) }
  const decision = decideAppend(log, message)
  if (decision.kind === 'violation') throw new InvariantError('leader completeness', decision.detail)
  if (decision.kind === 'mismatch') {
    const conflict = describeConflict(core.log, message.prevLogIndex)
    core.answer(reply, { term: core.term, success: false, lastLogIndex: lastIndex, ...conflict })
    return
  }
  if (decision.truncateAfter !== null) truncate(core, decision.truncateAfter, commitIndex)
  store(
    core,
    decision.skip === 0 ? message.entries : message.entries.slice(decision.skip),
    decision.truncateAfter,
  )
  vouch(core, message.committedIndex, decision.matchIndex)
  acknowledgeWhenDurable(core, decision.matchIndex, message, reply)
}

function truncate(core: NodeCore, lastKept: number, settled: number): void {
  assertTruncation(lastKept, settled)
  core.life.logActor?.send({ type: 'truncateSuffix', lastKept })
}

function store(core: NodeCore, entries: readonly LogEntry[], truncatedAfter: number | null): void {
  if (entries.length > 0) core.life.logActor?.send({ type: 'append', entries })
  const command = entries.findLast(({ type }) => type === EntryType.DATA)
  if (command !== undefined) core.input.hear(command.data)
  const changes = truncatedAfter !== null || entries.some((e) => e.type === EntryType.CONFIGURATION)
  if (changes) refreshConfiguration(core)
  noteFiles(core)
}

/** An acknowledgement covers what this frame verified, and leaves when that is on disk: also for a repeated frame. */
function acknowledgeWhenDurable(
  core: NodeCore,
  matchIndex: number,
  { term }: AppendEntriesRequest,
  reply: Reply,
): void {
  if (matchIndex <= core.log.durableIndex) acknowledge(core, reply)
  else core.following.pendingAcks.push({ term, matchIndex, reply })
}

/** Says yes in the term in which it was asked. While the answer waits in the outbox, that term may end. */
function acknowledge(core: NodeCore, reply: Reply): void {
  const { term, log } = core
  const { lastIndex: lastLogIndex } = log
  core.outbox.post(() => {
    if (core.term === term) reply({ ok: true, response: { term, success: true, lastLogIndex } })
    else core.answer(reply, { term: core.term, success: false, lastLogIndex: log.lastIndex })
  })
}

/**
 * More of the log is durable: answer what waited for it. A term that has changed meanwhile makes the answer negative,
 * because the entries may be gone again (trap T25).
 */
export function settleAcks(core: NodeCore): void {
  const { durableIndex } = core.log
  const { pendingAcks } = core.following
  let settled = 0
  for (const ack of pendingAcks) {
    if (ack.matchIndex > durableIndex) break
    settled++
    passes('answered')
    if (ack.term === core.term) acknowledge(core, ack.reply)
    else core.answer(ack.reply, { term: core.term, success: false, lastLogIndex: core.log.lastIndex })
  }
  pendingAcks.splice(0, settled)
  commitVouched(core)
}

/** What lies behind this position is about to go: it is not acknowledged. */
export function refuseAcksAfter(core: NodeCore, index: LogIndex): void {
  const { following, log, term } = core
  for (const ack of following.takeAcks()) {
    if (ack.matchIndex <= index) following.pendingAcks.push(ack)
    else core.answer(ack.reply, { term, success: false, lastLogIndex: Math.min(log.lastIndex, index) })
  }
}

/** A snapshot vouches for everything up to its end. */
export function vouchFor(core: NodeCore, index: LogIndex): void {
  core.following.vouchedCommitIndex = Math.max(core.following.vouchedCommitIndex, index)
}

/** The leader has committed up to `leaderCommit`; this log is known to equal its log up to `verified`. */
function vouch(core: NodeCore, leaderCommit: number, verified: number): void {
  const { following } = core
  following.vouchedCommitIndex = followerCommitIndex(following.vouchedCommitIndex, leaderCommit, verified)
  commitVouched(core)
}

function commitVouched(core: NodeCore): void {
  // A leader commits by counting; one that has just left its office has nothing to count with any more.
  if (core.office !== null) return
  const { vouchedCommitIndex } = core.following
  core.commitTo(followerCommitIndex(core.commitIndex, vouchedCommitIndex, core.log.durableIndex))
}
