// Every place where a caller can wait, in one list: whichever way a node ends (shutdown, failure, crash, destruction),
// it goes through here, and nobody is forgotten.
//
// | place | who waits there |
// | --- | --- |
// | intake, gathered | proposals and reads of this turn, not yet an event |
// | intake, in hand | those whose event is being carried out |
// | closures | proposals in the log of a leader, until they are applied |
// | office | reads that wait for a round, own ones and those of followers |
// | following, forwarded | reads that the leader has been asked about |
// | queries | whoever asked for a read, wherever it has got to |
// | log reads | whoever asked for an entry of the log |
// | probes | whoever asked for the hash of a state |
// | handover, asked | whoever asked for leadership to move |
// | handover, votes | whoever asked for an election |
// | snapshots, asked | whoever asked for a snapshot to be taken |
// | membership, asked | whoever asked for a change of the members |
// | membership, reset, asked | whoever forced who the members are |
// | exclusive tasks | whoever asked for a snapshot to be saved or loaded, or for the hash of a state |

import type { Outcome, QuorateError } from '../../errors.ts'
import type { Closure } from '../apply/closures.ts'
import type { NodeCore } from './node.core.ts'
import type { NodeEvent, PendingRead } from './node.events.ts'
import { endWaiting } from './node.handover.ts'

/** Why nobody will be answered any more. */
export interface Ending {
  readonly code: 'SHUTDOWN' | 'NODE_FAILED'
  /** A sentence without its full stop: `Member a of g was closed`. */
  readonly why: string
  readonly cause?: unknown
}

/** Tells everybody who still waits that it will not get an answer, and what is true. Repeating it is harmless. */
export function settleEverybody(core: NodeCore, { code, why, cause }: Ending): void {
  endWaiting(core)
  const error = (outcome: Outcome, words: string): QuorateError =>
    core.error(code, `${why}${words}.`, { outcome, cause })
  const { proposals, reads } = core.intake.takeGathered()
  const { inHand } = core.intake
  const logged = [...core.closures.takeAfter(0), ...inHand.proposals]
  failClosures(core, logged, error('unknown', '; the command may or may not be applied'))
  failClosures(core, proposals, error('not-applied', '; the command was not applied'))
  const unread = error('not-applied', '')
  failReads(core, [...reads, ...inHand.reads, ...takeReads(core)], unread)
  for (const settle of [...core.intake.queries]) core.shelter(() => settle({ ok: false, error: unread }))
  for (const settle of [...core.intake.logReads]) core.shelter(() => settle({ ok: false, error: unread }))
  for (const settle of [...core.intake.probes.asked]) core.shelter(() => settle({ ok: false, error: unread }))
  for (const settle of [...core.handover.votes]) core.shelter(() => settle(unread))
  for (const settle of [...core.handover.asked])
    core.shelter(() => settle({ ok: false, error: error('unknown', '') }))
  for (const settle of [...core.snapshots.asked]) core.shelter(() => settle({ ok: false, error: unread }))
  const unsure = error('unknown', '; the members may or may not be changed')
  for (const settle of [...core.membership.asked, ...core.membership.reset.asked])
    core.shelter(() => settle({ ok: false, error: unsure }))
  for (const task of [...core.exclusiveTasks]) {
    core.exclusiveTasks.delete(task)
    core.shelter(() => task.done(unread))
  }
}

/** Reads on the way to their position, whether this member leads or follows. */
export function takeReads(core: NodeCore): readonly PendingRead[] {
  return [...(core.office?.takeReads() ?? []), ...core.following.takeForwarded()]
}

/** Carrying out this event has failed half way: whoever it was about may have got nowhere else. */
export function failEvent(core: NodeCore, event: NodeEvent, cause: Error): void {
  const why = `Member ${core.id} of ${core.group} has failed: ${cause.message.replace(/\.$/, '')}`
  const error = (outcome: Outcome): QuorateError => core.error('NODE_FAILED', `${why}.`, { outcome, cause })
  if (event.type === 'propose') failClosures(core, event.proposals, error('unknown'))
  if (event.type === 'read') failReads(core, event.reads, error('not-applied'))
}

/** One that throws takes nobody else's answer with it. */
export function failClosures(core: NodeCore, closures: readonly Closure[], error: QuorateError): void {
  for (const closure of closures) {
    if (closure.kind === 'proposal') core.shelter(() => closure.done({ ok: false, error }))
  }
}

export function failReads(core: NodeCore, reads: readonly PendingRead[], error: QuorateError): void {
  for (const read of reads) core.shelter(() => read.done({ ok: false, error }))
}
