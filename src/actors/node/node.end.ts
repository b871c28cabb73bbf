// How a node ends: in its error state, or by shutting down in order.

import type { NodeCore } from './node.core.ts'
import type { NodeEvent } from './node.events.ts'
import { endWaiting } from './node.handover.ts'
import { stopWatching } from './node.presence.ts'
import { refusal } from './node.refusals.ts'
import { failReads, settleEverybody, takeReads } from './waiting.ts'

/** Keeps the first failure, with the step of the start it belongs to; a node reports one error (trap T89). */
export function noteFailure(core: NodeCore, event: Extract<NodeEvent, { readonly error: Error }>): void {
  if (core.life.failure !== null) return
  const { error } = event
  core.life.failure =
    core.role === 'initializing'
      ? new Error(`${core.life.step} failed: ${error.message}`, { cause: error })
      : error
  core.reason = 'NODE_FAILED'
  core.logger.error(
    { group: core.group, term: core.term, error: core.life.failure.message },
    'The node has stopped.',
  )
}

/** Nothing that relied on the failed part is said any more; users are told once. */
export function enterError(core: NodeCore): void {
  core.outbox.discard()
  stopWatching(core)
  failReads(core, takeReads(core), refusal(core))
  endWaiting(core)
  for (const asked of [...core.handover.asked]) core.shelter(() => asked({ ok: false, error: refusal(core) }))
  core.following.takeAcks()
  core.files.close()
  core.toSnapshots({ type: 'stop' })
  const error = core.life.failure ?? new Error('unknown')
  core.toApplyQueue({ type: 'nodeFailed', error })
  core.life.tellStarted(error)
}

/** The successor has been told, and has answered or not. */
export function noteFarewell({ life }: NodeCore): void {
  life.farewell = false
}

/** No request reaches the node from here on; everything committed is still applied, then the user's last hook runs. */
export function drain(core: NodeCore): void {
  core.life.leaveGroup()
  stopWatching(core)
  core.files.close()
  core.toSnapshots({ type: 'stop' })
  if (core.life.applyQueue === null) core.send({ type: 'applyQueue.stopped' })
  else core.toApplyQueue({ type: 'stop' })
}

export function closeStore(core: NodeCore): void {
  const closed = (): void => core.send({ type: 'store.closed' })
  const { store, snapshots } = core
  if (core.hasLog) core.log.release()
  const closeLog = (): void => {
    if (store === null) core.clock.defer(closed)
    else store.close(closed)
  }
  if (snapshots.store === null) closeLog()
  else snapshots.store.close(closeLog)
}

/** A disk that does not answer must not keep a process alive; what it was asked to do it may still do. */
export function noteStalledStore(core: NodeCore): void {
  core.logger.error(
    { group: core.group },
    'The disk did not let go of the group in time; the node ends without it.',
  )
}

/** What still waits learns that it will not be answered. */
export function endEverything(core: NodeCore): void {
  settleEverybody(core, { code: 'SHUTDOWN', why: `Member ${core.id} of ${core.group} was closed` })
  core.life.tellStarted(core.error('SHUTDOWN', 'The node was closed.'))
}
