// Saying no to users and to other members: what this member does not do now, why, and who might.

import type { QuorateError } from '../../errors.ts'
import type { Term } from '../../rules/types.ts'
import type { Proposal } from '../apply/closures.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf, PendingRead, RpcEvent } from './node.events.ts'
import { mayAppendCommands } from './node.readonly.ts'
import { failReads } from './waiting.ts'

/** Why this member takes no proposals now: in each case the command was not, and will not be, applied. */
export function refusal(core: NodeCore, expectedTerm?: Term): QuorateError {
  const { id, group, term, role, leader } = core
  const target = core.office?.transfer?.target
  if (target !== undefined) {
    const message = `Leadership of ${group} is on its way to ${target}; nothing was done here, try again there.`
    return core.error('BUSY', message, { leader: target, retryable: true })
  }
  if (core.office !== null && !mayAppendCommands(core)) {
    const who = core.membership.isReadonly ? `its leader ${id} is` : 'too many of its members are'
    return core.error('READONLY', `Group ${group} takes no commands: ${who} read-only.`, { leader: id })
  }
  if (core.office !== null) {
    return core.error('TERM_MISMATCH', `The term is ${term}, not ${expectedTerm ?? 'unknown'} as expected.`)
  }
  if (role === 'error') {
    const why = core.life.failure?.message ?? 'unknown error'
    return core.error('NODE_FAILED', `Member ${id} of ${group} has stopped: ${why}`)
  }
  if (role === 'shuttingDown' || role === 'shutdown' || core.intake.closing) {
    return core.error('SHUTDOWN', `Member ${id} of ${group} is closed.`)
  }
  if (leader === null) {
    return core.error('NO_LEADER', `Nobody is known to lead ${group}; try again shortly.`, {
      retryable: true,
    })
  }
  return core.error('NOT_LEADER', `Member ${id} does not lead ${group}; ${leader} does.`, { retryable: true })
}

export function refuseProposals(core: NodeCore, { proposals }: EventOf<'propose'>): void {
  for (const proposal of proposals) refuseProposal(core, proposal)
}

export function refuseProposal(core: NodeCore, proposal: Proposal): void {
  const error = refusal(core, proposal.expectedTerm)
  core.shelter(() => proposal.done({ ok: false, error }))
}

export function refuseSnapshot(core: NodeCore, { asked }: EventOf<'snapshot'>): void {
  core.shelter(() => asked({ ok: false, error: refusal(core) }))
}

export function refuseReads(core: NodeCore, event: EventOf<'read'>): void {
  refuseAll(core, event.reads)
}

export function refuseAll(core: NodeCore, reads: readonly PendingRead[]): void {
  failReads(core, reads, refusal(core))
}

export function refuseReadIndex(core: NodeCore, event: EventOf<'rpc.read_index'>): void {
  event.reply({ ok: false, error: { code: 'EPERM', message: `Member ${core.id} does not lead.` } })
}

/** A node that is not active takes part in nothing (braft: EINVAL). */
export function refuseInactive(core: NodeCore, event: RpcEvent): void {
  const message = `Member ${core.id} is not active (${core.role}).`
  event.reply({ ok: false, error: { code: 'EINVAL', message } })
}
