// Linearizable reads: one heartbeat round for all that wait, or the leader's lease; followers ask their leader
// (thesis section 6.4).

import { leaderLeaseValid } from '../../rules/lease.ts'
import { targets } from '../../rules/quorum.ts'
import { confirmRound, isConfirmed } from '../../rules/read.ts'
import { deposes } from '../../rules/term.ts'
import type { LogIndex } from '../../rules/types.ts'
import { heartbeatRequest } from '../replication/heartbeat-request.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf, PendingRead } from './node.events.ts'
import { isEstablished } from './node.leader.ts'
import { refuseAll } from './node.refusals.ts'
import type { Office } from './office.ts'
import { failReads } from './waiting.ts'

export function leaseIsValid(core: NodeCore): boolean {
  const { office } = core
  // With the target's campaign the votes that the lease rests on are free again.
  if (office === null || office.transfer !== null || !isEstablished(core)) return false
  return leaderLeaseValid(core.contact, core.leaseTerms, core.clock.nowMs(), office.leaseSinceMs)
}

/** A leader takes reads; those by lease are answered or refused at once, the others wait for a round. */
export function takeReads(core: NodeCore, event: EventOf<'read'>): void {
  const byLease: PendingRead[] = []
  for (const read of event.reads) {
    if (read.level === 'readIndex') core.office?.reads.push(read)
    else byLease.push(read)
  }
  if (byLease.length > 0) readByLease(core, byLease)
  startRound(core)
}

/** One look at the lease for all of them. */
function readByLease(core: NodeCore, reads: readonly PendingRead[]): void {
  if (leaseIsValid(core)) return answerReads(core, reads, core.commitIndex)
  const message = core.tuning.leaderLease
    ? 'The leader lease is not valid now; read by readIndex, or try again.'
    : 'Lease reads need the option leaderLease on all members.'
  failReads(core, reads, core.error('LEASE_EXPIRED', message, { retryable: core.tuning.leaderLease }))
}

function answerReads(core: NodeCore, reads: readonly PendingRead[], index: LogIndex): void {
  for (const read of reads) core.shelter(() => read.done({ ok: true, index }))
}

/** Begins a round for everything that waits, unless one is running or the term's first entry is not applied yet. */
export function startRound(core: NodeCore): void {
  const { office } = core
  if (office === null || office.round !== null || office.reads.length === 0 || !isEstablished(core)) return
  const { reads } = office
  office.reads = []
  core.counters.round(reads.length)
  const id = core.nextVersion()
  const { configuration, commitIndex: readIndex } = core
  const unanswered = new Set(core.others.filter((peer) => office.followers.has(peer)))
  office.round = { id, configuration, readIndex, confirmedBy: new Set(), reads, unanswered }
  askRound(core, office, id)
  finishRound(core, office)
}

function askRound(core: NodeCore, { term, followers }: Office, round: number): void {
  const timeoutMs = Math.max(1, Math.floor(core.tuning.electionTimeoutMs / 2))
  for (const from of core.others) {
    const progress = followers.get(from)?.progress
    if (progress === undefined) continue
    const sentMs = core.clock.nowMs()
    core.call(from, 'heartbeat', heartbeatRequest(core, progress, term), timeoutMs, (outcome) => {
      if (outcome.ok && deposes(term, outcome.response.term)) {
        return core.send({ type: 'term.higher', term: outcome.response.term })
      }
      if (outcome.ok) progress.speaksOf(outcome.response.identity)
      if (outcome.ok && core.term === term) progress.contact(sentMs)
      core.send({
        type: 'round.answered',
        round,
        from,
        confirmed: outcome.ok && outcome.response.term === term && core.counts(from, progress.identity),
      })
    })
  }
}

/** Answers to an earlier round confirm nothing: their requests may have left before these reads arrived. */
export function countRound(core: NodeCore, event: EventOf<'round.answered'>): void {
  const { office } = core
  if (office === null || office.round?.id !== event.round) return
  office.round.unanswered.delete(event.from)
  if (event.confirmed) office.round = { ...office.round, ...confirmRound(office.round, event.from) }
  finishRound(core, office)
}

function finishRound(core: NodeCore, office: Office): void {
  const { round } = office
  if (round === null) return
  if (isConfirmed(round, core.id)) {
    office.round = null
    answerReads(core, round.reads, round.readIndex)
    startRound(core)
  } else if (round.unanswered.size === 0) {
    const retry = (): void => core.send({ type: 'round.retry', round: round.id })
    office.roundTimer = core.clock.setTimeout(retry, core.heartbeatMs)
  }
}

/** Nobody confirmed: ask again, under a new number. Leadership ends by check-quorum if nobody ever does. */
export function retryRound(core: NodeCore, event: EventOf<'round.retry'>): void {
  const { office } = core
  if (office === null || office.round?.id !== event.round) return
  office.reads = [...office.takeReads()]
  startRound(core)
}

/** A follower asks its leader for the position, once for all reads of the batch. */
export function forwardReads(core: NodeCore, event: EventOf<'read'>): void {
  const { leader, term } = core
  refuseAll(
    core,
    event.reads.filter((r) => r.level === 'lease'),
  )
  const byIndex = event.reads.filter((r) => r.level !== 'lease')
  if (byIndex.length === 0) return
  if (leader === null || leader === core.id) return refuseAll(core, byIndex)
  const { forwarded } = core.following
  forwarded.add(byIndex)
  core.call(leader, 'read_index', { term }, core.tuning.electionTimeoutMs, (outcome) => {
    if (!forwarded.delete(byIndex)) return
    if (outcome.ok) return answerReads(core, byIndex, outcome.response.index)
    const message = `The leader ${leader} did not confirm the read: ${outcome.failure.message}`
    failReads(core, byIndex, core.error('NOT_LEADER', message, { retryable: true }))
  })
}

/** Nobody sends the log to whoever is no member: what waits here for entries would wait for ever. */
export function failStrandedReads(core: NodeCore): void {
  if (targets(core.configuration).includes(core.id)) return
  const message = `Member ${core.id} does not belong to ${core.group} now: ask another one.`
  const error = core.error('NO_LEADER', message, { retryable: true })
  for (const settle of [...core.intake.queries]) core.shelter(() => settle({ ok: false, error }))
}

/** A follower's reads take part in the leader's next round. A beat follows, so that it learns the commit index soon. */
export function serveReadIndex(core: NodeCore, event: EventOf<'rpc.read_index'>): void {
  const { office } = core
  if (office === null || office.waitingReads >= core.tuning.maxPendingReads) {
    return event.reply({
      ok: false,
      error: { code: 'EBUSY', message: 'Too many reads wait for their round.' },
    })
  }
  office.reads.push({
    level: 'readIndex',
    done: (outcome) => {
      if (outcome.ok) {
        core.answer(event.reply, { term: core.term, index: outcome.index })
        if (core.office === office) office.followers.get(event.from)?.heartbeat.send({ type: 'beat' })
      } else event.reply({ ok: false, error: { code: 'EPERM', message: outcome.error.message } })
    },
  })
  startRound(core)
}
