// How a node ends: in its error state, or by shutting down in order.

import type { NodeCore } from './node.core.ts'
import type { NodeEvent } from './node.events.ts'

/** Keeps the first failure, with the step of the start it belongs to; a node reports one error (trap T89). */
export function noteFailure(core: NodeCore, event: Extract<NodeEvent, { readonly error: Error }>): void {
  if (core.failure !== null) return
  const { error } = event
  core.failure =
    core.role === 'initializing'
      ? new Error(`${core.step} failed: ${error.message}`, { cause: error })
      : error
  core.reason = 'NODE_FAILED'
  core.input.logger.error(
    { group: core.group, term: core.term, error: core.failure.message },
    'The node has stopped.',
  )
}

/** Nothing that relied on the failed part is said any more; users are told once. */
export function enterError(core: NodeCore): void {
  core.outbox.discard()
  core.pendingAcks = []
  const error = core.failure ?? new Error('unknown')
  core.toApplyQueue({ type: 'nodeFailed', error })
  core.tellStarted(error)
}

/** No request reaches the node from here on; everything committed is still applied, then the user's last hook runs. */
export function drain(core: NodeCore): void {
  core.route?.stop()
  core.route = null
  if (core.applyQueue === null) core.send({ type: 'applyQueue.stopped' })
  else core.toApplyQueue({ type: 'stop' })
}

export function closeStore(core: NodeCore): void {
  const closed = (): void => core.send({ type: 'store.closed' })
  if (core.store === null) core.clock.defer(closed)
  else core.store.close(closed)
}

/** What still waits learns that it will not be answered. */
export function endEverything(core: NodeCore): void {
  for (const closure of core.closures.takeAfter(0)) {
    if (closure.kind !== 'proposal') continue
    const message = 'The node was closed before the command was applied here: it may or may not be applied.'
    closure.done({ ok: false, error: core.error('SHUTDOWN', message, { outcome: 'unknown' }) })
  }
  for (const settle of core.queries)
    settle({ ok: false, error: core.error('SHUTDOWN', 'The node was closed.') })
  core.tellStarted(core.error('SHUTDOWN', 'The node was closed.'))
}
