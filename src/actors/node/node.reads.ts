// Linearizable reads: one heartbeat round for all that wait, or the leader's lease; followers ask their leader
// (thesis section 6.4).

import { leaderLeaseValid } from '../../rules/lease.ts'
import { confirmRound, isConfirmed } from '../../rules/read.ts'
import { deposes } from '../../rules/term.ts'
import { heartbeatRequest } from '../replication/heartbeat-request.ts'
import type { NodeCore } from './node.core.ts'
import type { NodeEvent, PendingRead } from './node.events.ts'
import { isEstablished, refusal } from './node.leader.ts'

type EventOf<T extends NodeEvent['type']> = Extract<NodeEvent, { type: T }>

export function leaseIsValid(core: NodeCore): boolean {
  return (
    core.role === 'leader' &&
    isEstablished(core) &&
    leaderLeaseValid(core.contact, core.leaseTerms, core.clock.nowMs())
  )
}

/** A leader takes reads; those by lease are answered or refused at once, the others wait for a round. */
export function takeReads(core: NodeCore, event: EventOf<'read'>): void {
  for (const read of event.reads) {
    if (read.level === 'readIndex') core.reads.push(read)
    else readByLease(core, read)
  }
  startRound(core)
}

function readByLease(core: NodeCore, read: PendingRead): void {
  if (leaseIsValid(core)) return read.done({ ok: true, index: core.commitIndex })
  const message = core.tuning.leaderLease
    ? 'The leader lease is not valid now; read by readIndex, or try again.'
    : 'Lease reads need the option leaderLease on all members.'
  read.done({
    ok: false,
    error: core.error('LEASE_EXPIRED', message, { retryable: core.tuning.leaderLease }),
  })
}

/** Begins a round for everything that waits, unless one is running or the term's first entry is not applied yet. */
export function startRound(core: NodeCore): void {
  if (core.round !== null || core.reads.length === 0 || core.role !== 'leader' || !isEstablished(core)) return
  const reads = core.reads
  core.reads = []
  const id = ++core.versions
  const { configuration, commitIndex: readIndex } = core
  core.round = {
    id,
    configuration,
    readIndex,
    confirmedBy: new Set(),
    reads,
    unanswered: new Set(core.followers.keys()),
  }
  askRound(core, id)
  finishRound(core)
}

function askRound(core: NodeCore, round: number): void {
  const { term } = core
  const timeoutMs = Math.max(1, Math.floor(core.tuning.electionTimeoutMs / 2))
  for (const [from, { progress }] of core.followers) {
    const sentMs = core.clock.nowMs()
    core.call(from, 'heartbeat', heartbeatRequest(core, progress, term), timeoutMs, (outcome) => {
      if (outcome.ok && deposes(term, outcome.response.term)) {
        return core.send({ type: 'term.higher', term: outcome.response.term })
      }
      if (outcome.ok && core.term === term) progress.contact(sentMs)
      core.send({
        type: 'round.answered',
        round,
        from,
        confirmed: outcome.ok && outcome.response.term === term,
      })
    })
  }
}

/** Answers to an earlier round confirm nothing: their requests may have left before these reads arrived. */
export function countRound(core: NodeCore, event: EventOf<'round.answered'>): void {
  const { round } = core
  if (round === null || round.id !== event.round) return
  round.unanswered.delete(event.from)
  if (event.confirmed) core.round = { ...round, ...confirmRound(round, event.from) }
  finishRound(core)
}

function finishRound(core: NodeCore): void {
  const { round } = core
  if (round === null) return
  if (isConfirmed(round, core.id)) {
    core.round = null
    for (const read of round.reads) read.done({ ok: true, index: round.readIndex })
    startRound(core)
  } else if (round.unanswered.size === 0) {
    const retry = (): void => core.send({ type: 'round.retry', round: round.id })
    core.roundTimer = core.clock.setTimeout(retry, core.heartbeatMs)
  }
}

/** Nobody confirmed: ask again, under a new number. Leadership ends by check-quorum if nobody ever does. */
export function retryRound(core: NodeCore, event: EventOf<'round.retry'>): void {
  if (core.round?.id !== event.round) return
  core.reads = [...core.round.reads, ...core.reads]
  core.round = null
  startRound(core)
}

/** A follower asks its leader for the position, once for all reads of the batch. */
export function forwardReads(core: NodeCore, event: EventOf<'read'>): void {
  const { leader, term } = core
  const [byLease, byIndex] = [
    event.reads.filter((r) => r.level === 'lease'),
    event.reads.filter((r) => r.level !== 'lease'),
  ]
  refuse(core, byLease)
  if (byIndex.length === 0) return
  if (leader === null || leader === core.id) return refuse(core, byIndex)
  core.call(leader, 'read_index', { term }, core.tuning.electionTimeoutMs, (outcome) => {
    for (const read of byIndex) {
      if (outcome.ok) read.done({ ok: true, index: outcome.response.index })
      else
        read.done({
          ok: false,
          error: core.error(
            'NOT_LEADER',
            `The leader ${leader} did not confirm the read: ${outcome.failure.message}`,
            { retryable: true },
          ),
        })
    }
  })
}

export function refuseReads(core: NodeCore, event: EventOf<'read'>): void {
  refuse(core, event.reads)
}

function refuse(core: NodeCore, reads: readonly PendingRead[]): void {
  for (const read of reads) read.done({ ok: false, error: refusal(core) })
}

/** A follower's reads take part in the leader's next round. A beat follows, so that it learns the commit index soon. */
export function serveReadIndex(core: NodeCore, event: EventOf<'rpc.read_index'>): void {
  if (core.reads.length + (core.round?.reads.length ?? 0) >= core.tuning.maxPendingReads) {
    return event.reply({
      ok: false,
      error: { code: 'EBUSY', message: 'Too many reads wait for their round.' },
    })
  }
  core.reads.push({
    level: 'readIndex',
    done: (outcome) => {
      if (outcome.ok) {
        core.answer(event.reply, { term: core.term, index: outcome.index })
        core.followers.get(event.from)?.heartbeat.send({ type: 'beat' })
      } else event.reply({ ok: false, error: { code: 'EPERM', message: outcome.error.message } })
    },
  })
  startRound(core)
}

export function refuseReadIndex(core: NodeCore, event: EventOf<'rpc.read_index'>): void {
  event.reply({ ok: false, error: { code: 'EPERM', message: `Member ${core.id} does not lead.` } })
}
