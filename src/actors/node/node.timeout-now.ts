// Told to campaign at once, by a leader that leaves or moves leadership (thesis section 3.10; braft TimeoutNow).

import { isMember, priorityOf } from '../../rules/quorum.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf } from './node.events.ts'
import { keepsNoData } from './node.witness.ts'

/** May TimeoutNow be followed? Same term, from a follower's seat, and as a member (traps T15, T14). */
export function followsTimeoutNow(core: NodeCore, event: EventOf<'rpc.timeout_now'>): boolean {
  const isVoter = isMember(core.configuration, core.id) && core.counts(core.id, core.identity)
  const mayLead = isVoter && !keepsNoData(core) && priorityOf(core.configuration, core.id) > 0
  return event.message.term === core.term && mayLead
}

/** With leases off the answer's higher term deposes the old leader; with leases on it must not yet (trap T15). */
export function acceptTimeoutNow(core: NodeCore, event: EventOf<'rpc.timeout_now'>): void {
  const term = core.tuning.leaderLease ? core.term - 1 : core.term
  core.answer(event.reply, { term, success: true })
}

export function refuseTimeoutNow(core: NodeCore, event: EventOf<'rpc.timeout_now'>): void {
  core.answer(event.reply, { term: core.term, success: false })
}
