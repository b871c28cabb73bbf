// Whoever asked for a transfer hears who leads then, whether this member leads or has left its office by that time.

import type { QuorateError } from '../../errors.ts'
import type { PeerId } from '../../rules/types.ts'
import type { AskedTransfer, TransferOutcome } from './handover.ts'
import type { NodeCore } from './node.core.ts'

/** Somebody leads: what was waited for, or not. */
export function learnLeader(core: NodeCore, leader: PeerId): void {
  const { waiting } = core.handover
  if (waiting === null || core.term <= waiting.term) return
  if (leader !== core.id) return conclude(core, { ok: true, leader, term: core.term })
  conclude(core, {
    ok: false,
    error: timedOut(core, `${waiting.target} did not take over; ${leader} leads again`),
  })
}

/** The office is left, and nobody is known to have taken it. */
export function giveUpWaiting(core: NodeCore): void {
  if (core.office !== null || core.handover.waiting === null) return
  conclude(core, { ok: false, error: timedOut(core, 'nobody is known to lead yet') })
}

export function timedOut(core: NodeCore, what: string): QuorateError {
  return core.error('TIMEOUT', `Leadership of ${core.group} was not transferred: ${what}.`, {
    retryable: true,
  })
}

/** The transfer that was begun has ended, one way or the other. */
export function conclude(core: NodeCore, outcome: TransferOutcome): void {
  const { waiting } = core.handover
  if (waiting === null) return
  core.handover.waiting = null
  core.clock.clearTimeout(waiting.timer)
  settleTransfer(core, waiting.asked, outcome)
}

export function settleTransfer(core: NodeCore, asked: AskedTransfer, outcome: TransferOutcome): void {
  core.shelter(() => asked(outcome))
}

/** The node ends: nobody is to be told of a leader any more. */
export function endWaiting({ handover, clock }: NodeCore): void {
  if (handover.waiting !== null) clock.clearTimeout(handover.waiting.timer)
  handover.waiting = null
}
