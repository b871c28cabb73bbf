// Changing how long this member waits, while it runs, and asking it to stand for election at once (braft
// reset_election_timeout_ms, vote).

import type { QuorateError } from '../../errors.ts'
import { mayCampaign } from '../../rules/election.ts'
import { isMember, priorityOf } from '../../rules/quorum.ts'
import { lacksPayload } from '../snapshot/payload.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf } from './node.events.ts'
import { keepsNoData } from './node.witness.ts'

type Asking = EventOf<'vote'>

/** Asked for by an operator: what a lease on the leader's life says does not count. */
export function mayStandWhenAsked(core: NodeCore): boolean {
  const situation = { configuration: core.configuration, self: core.id, leaderIsGone: true }
  const installingSnapshot = core.snapshots.isInstalling
  return (
    core.counts(core.id, core.identity) &&
    mayCampaign({ installingSnapshot, lacksPayload: lacksPayload(core), ...situation })
  )
}

/** The shortened timeout stays until it is reset; the leader is followed until the others have said that they would vote. */
export function hasten(core: NodeCore, { timing, asked }: Asking): void {
  if (timing !== null) core.retime(timing)
  core.candidacy.triggered = true
  core.logger.info({ group: core.group, term: core.term }, 'Asked to stand for election.')
  core.shelter(() => asked(null))
}

export function refuseToStand(core: NodeCore, { asked }: Asking): void {
  core.shelter(() => asked(whyNot(core)))
}

function whyNot(core: NodeCore): QuorateError {
  const { id, group, configuration } = core
  if (core.office !== null) return core.error('INVALID', `Member ${id} leads ${group} already.`)
  if (core.role === 'candidate')
    return core.error('BUSY', `Member ${id} stands for election already.`, { retryable: true })
  if (core.role !== 'follower')
    return core.error('SHUTDOWN', `Member ${id} takes no part in ${group} (${core.role}).`)
  if (!isMember(configuration, id))
    return core.error('INVALID', `Member ${id} has no vote in ${group} and cannot stand for election.`)
  if (priorityOf(configuration, id) === 0)
    return core.error('INVALID', `Member ${id} never leads ${group}: its priority is 0.`)
  if (keepsNoData(core))
    return core.error(
      'INVALID',
      `Member ${id} is a witness of ${group}, or has the files of one, and cannot lead.`,
    )
  const why = 'it installs a snapshot, or its files do not count yet'
  return core.error('BUSY', `Member ${id} cannot stand for election now: ${why}.`, { retryable: true })
}
