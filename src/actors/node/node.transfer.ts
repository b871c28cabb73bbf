// Transfer of leadership (braft NodeImpl::transfer_leadership_to): takes no more proposals, brings the target up to date,
// tells it to campaign, and goes on leading when nothing came of it.

import type { QuorateErrorCode } from '../../errors.ts'
import { isStable } from '../../rules/quorum.ts'
import {
  type Heir,
  hasEverything,
  judgeTransfer,
  type TransferRefusal,
  type TransferVerdict,
} from '../../rules/transfer.ts'
import type { PeerId } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf } from './node.events.ts'
import { conclude, settleTransfer, timedOut } from './node.handover.ts'
import { isEstablished } from './node.leader.ts'
import { refusal } from './node.refusals.ts'
import { tenureChanged, tenureLost } from './node.tenure.ts'

type Asking = EventOf<'transfer'>

/** Is leadership on its way to another member? Then nothing is appended here. */
export function isTransferring({ office }: NodeCore): boolean {
  return office !== null && office.transfer !== null
}

/** Is the membership on its way from one configuration to the next? Then leadership stays where it is (trap T82). */
export function isChanging({ configuration, office }: NodeCore): boolean {
  return !isStable(configuration) || (office !== null && office.change.stage !== 'none')
}

/** What a leader knows of those who could follow it. */
export function heirsOf(core: NodeCore, nowMs: number): readonly Heir[] {
  return [...(core.office?.followers.values() ?? [])].map(({ progress }) => ({
    peer: progress.peer,
    matchIndex: progress.matchIndex,
    consecutiveErrors: progress.consecutiveErrors,
    counts: core.counts(progress.peer, progress.identity) && !progress.isMisplaced,
    silentMs: nowMs - progress.lastContactMs,
    isReadonly: progress.isReadonly,
  }))
}

/** One verdict per request: guard and action hear the same. */
function verdictOn(core: NodeCore, event: Asking): TransferVerdict {
  const known = core.handover.verdict
  if (known?.event === event) return known.verdict
  const verdict = judgeTransfer({
    configuration: core.configuration,
    self: core.id,
    to: event.to,
    established: isEstablished(core),
    transferring: isTransferring(core),
    changing: isChanging(core),
    heirs: heirsOf(core, event.atMs),
    electionTimeoutMs: core.tuning.electionTimeoutMs,
    drawn: event.to === null ? core.drawn() : 0,
  })
  core.handover.verdict = { event, verdict }
  return verdict
}

export function transferStarts(core: NodeCore, event: Asking): boolean {
  return verdictOn(core, event).kind === 'start'
}

/** No more proposals, no more lease; replication, heartbeats and check-quorum go on. */
export function startTransfer(core: NodeCore, event: Asking): void {
  const { office, handover, clock } = core
  const verdict = verdictOn(core, event)
  if (office === null || verdict.kind !== 'start') return
  const { target } = verdict
  tenureLost(core)
  office.transfer = { target }
  core.toApplyQueue({ type: 'leaderStop', reason: 'TRANSFER' })
  core.logger.info({ group: core.group, term: core.term, target }, 'Transferring leadership.')
  // Once the office is left, its state does not end the waiting any more.
  const late = (): void => core.send({ type: 'transfer.late' })
  const timer = clock.setTimeout(late, 2 * core.tuning.electionTimeoutMs)
  handover.waiting = { target, term: core.term, asked: event.asked, timer }
}

/** A request that begins nothing is answered at once. */
export function answerTransfer(core: NodeCore, event: Asking): void {
  const verdict = verdictOn(core, event)
  if (verdict.kind === 'leads')
    return settleTransfer(core, event.asked, { ok: true, leader: core.id, term: core.term })
  if (verdict.kind === 'refuse')
    settleTransfer(core, event.asked, { ok: false, error: refused(core, event.to, verdict.why) })
}

/** Whoever does not lead gives nothing away. */
export function refuseTransfer(core: NodeCore, event: Asking): void {
  settleTransfer(core, event.asked, { ok: false, error: refusal(core) })
}

/** The target has the whole log, and all of it is committed. */
export function targetHasEverything({ office, log, commitIndex }: NodeCore): boolean {
  const progress = office?.transfer && office.followers.get(office.transfer.target)?.progress
  if (progress === undefined || progress === null) return false
  return hasEverything({ matchIndex: progress.matchIndex, lastIndex: log.lastIndex, commitIndex })
}

/** From here on the target stands for election, and this member votes for it like the others. */
export function sendTimeoutNow(core: NodeCore): void {
  const { office, term } = core
  if (office === null || office.transfer === null) return
  const { target } = office.transfer
  const request = { term, oldLeaderSteppedDown: false }
  core.call(target, 'timeout_now', request, core.tuning.electionTimeoutMs, (outcome) => {
    if (outcome.ok && outcome.response.term > term)
      core.send({ type: 'term.higher', term: outcome.response.term })
    else if (outcome.ok && !outcome.response.success) core.send({ type: 'transfer.refused', term, target })
  })
}

export function isOfThisTransfer({ office, term }: NodeCore, event: EventOf<'transfer.refused'>): boolean {
  return event.term === term && event.target === office?.transfer?.target
}

/**
 * Nothing came of it: the same term goes on (braft: a second on_leader_start, trap T81). What the lease was made of before
 * counts no more: everybody has to be heard anew.
 */
export function resumeOffice(core: NodeCore): void {
  const { office } = core
  if (office === null || office.transfer === null) return
  const { target } = office.transfer
  office.transfer = null
  office.leaseSinceMs = core.clock.nowMs()
  core.toApplyQueue({ type: 'leaderStart', term: core.term })
  core.logger.warn({ group: core.group, term: core.term, target }, 'The transfer came to nothing.')
  tenureChanged(core)
  conclude(core, {
    ok: false,
    error: timedOut(core, `${target} did not take over; ${core.id} goes on leading`),
  })
}

interface Words {
  readonly code: QuorateErrorCode
  readonly retryable: boolean
  readonly say: (target: string, group: string) => string
}

const REFUSALS: Readonly<Record<TransferRefusal, Words>> = {
  NOT_ESTABLISHED: {
    code: 'BUSY',
    retryable: true,
    say: (_, group) =>
      `The leader of ${group} has not applied the first entry of its term yet; try again shortly.`,
  },
  TRANSFERRING: {
    code: 'BUSY',
    retryable: true,
    say: (_, group) => `Leadership of ${group} is being transferred already; try again shortly.`,
  },
  CHANGING: {
    code: 'BUSY',
    retryable: true,
    say: (_, group) => `The members of ${group} are being changed; leadership can move when that has ended.`,
  },
  UNKNOWN: {
    code: 'INVALID',
    retryable: false,
    say: (target, group) => `${target} is no member of ${group}; name one of its voters.`,
  },
  LEARNER: {
    code: 'INVALID',
    retryable: false,
    say: (target, group) => `${target} is a learner of ${group} and cannot lead; promote it first.`,
  },
  WITNESS: {
    code: 'INVALID',
    retryable: false,
    say: (target, group) => `${target} is a witness of ${group} and cannot lead; name another voter.`,
  },
  NEVER_LEADS: {
    code: 'INVALID',
    retryable: false,
    say: (target, group) => `${target} never leads ${group}: its priority is 0; raise it first.`,
  },
  NEWCOMER: {
    code: 'UNREACHABLE',
    retryable: true,
    say: (target, group) =>
      `${target} has come back to ${group} with other files and does not count yet; try again when it does.`,
  },
  READONLY: {
    code: 'READONLY',
    retryable: false,
    say: (target, group) => `${target} is read-only and would take no commands of ${group}; end that first.`,
  },
  UNREACHABLE: {
    code: 'UNREACHABLE',
    retryable: true,
    say: (target, group) => `${target} does not answer the leader of ${group}; nothing was begun.`,
  },
  NOBODY: {
    code: 'UNREACHABLE',
    retryable: true,
    say: (_, group) => `Nobody who could lead ${group} answers its leader; nothing was begun.`,
  },
}

function refused(core: NodeCore, to: PeerId | null, why: TransferRefusal) {
  const { code, retryable, say } = REFUSALS[why]
  return core.error(code, say(to ?? '', core.group), { retryable })
}
