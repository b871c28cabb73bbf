// Leaving an office, in braft's order (NodeImpl::step_down): end the role's own work, forget the leader, then take
// the higher term. Whoever follows the old leader is told with the old term (trap T17).

import type { AnyActorRef } from 'xstate'
import type { Term } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'
import { abandonChange } from './node.membership.ts'
import { succeed } from './node.succession.ts'
import { tenureLost } from './node.tenure.ts'
import { forgetLeader, type StepDownReason, takeTerm } from './node.term.ts'
import type { Office } from './office.ts'
import { failClosures, failReads } from './waiting.ts'

export interface StepDown {
  readonly term: Term
  readonly reason: StepDownReason
}

/** Reasons for which a leader that leaves names its successor, so that nobody has to wait (braft wakeup_a_candidate). */
const HANDING_OVER: readonly StepDownReason[] = ['NODE_FAILED', 'SHUTDOWN', 'REMOVED']

/** Returns the actors that end with the office. */
export function stepDown(core: NodeCore, { term, reason }: StepDown): readonly AnyActorRef[] {
  const { office } = core
  core.reason = reason
  // First of all: a successor may be elected as soon as it is told.
  if (office !== null) tenureLost(core)
  core.candidacy.end()
  core.nextVersion()
  if (office !== null && HANDING_OVER.includes(reason)) succeed(core, office)
  const retired = office === null ? [] : leaveOffice(core, office, reason)
  forgetLeader(core, reason)
  if (term > core.term) takeTerm(core, term)
  return retired
}

function leaveOffice(core: NodeCore, office: Office, reason: StepDownReason): readonly AnyActorRef[] {
  core.office = null
  core.candidacy.lastOffice = office.term
  core.leader = null
  if (office.roundTimer !== null) core.clock.clearTimeout(office.roundTimer)
  // In the log of a deposed leader: the next one may keep these entries or drop them.
  const lost = `Member ${core.id} lost its leadership (${reason}) before the command was committed: it may or may not be applied.`
  failClosures(
    core,
    core.closures.takeAfter(core.commitIndex),
    core.error('LEADERSHIP_LOST', lost, { outcome: 'unknown', retryable: true }),
  )
  const askAgain = core.error('NOT_LEADER', 'Leadership was lost; ask again.', { retryable: true })
  failReads(core, office.takeReads(), askAgain)
  abandonChange(core, office, reason)
  // A transfer has ended it for the user already.
  if (office.transfer === null) core.toApplyQueue({ type: 'leaderStop', reason })
  return office.actors
}
