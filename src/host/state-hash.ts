// The hash of a member's state at one index, for whoever compares members.

import type { StateHashOutcome, StateProbe } from '../actors/apply/state-probes.ts'
import type { NodeCore } from '../actors/node/node.core.ts'
import { refusalToShow } from '../actors/node/node.witness.ts'
import { QuorateError } from '../errors.ts'
import type { LogIndex } from '../rules/types.ts'
import { messageOf } from '../runtime/errors.ts'
import type { StateHashRequest } from '../services/member-port.ts'

type Done = (outcome: StateHashOutcome) => void

/** Each costs the member the hash of its whole state. */
const MAX_PENDING = 16
/** What fits an answer. */
const MAX_HASH_LENGTH = 256

/** `done` comes exactly once, never before this returns. */
export function askStateHash(core: NodeCore, { index, waitMs }: StateHashRequest, done: Done): void {
  const { probes } = core.intake
  const refused = probes.asked.size >= MAX_PENDING ? tooMany(core) : refusal(core)
  if (refused !== null) return core.clock.defer(() => core.shelter(() => done({ ok: false, error: refused })))
  let probe: StateProbe | null = null
  const settle: Done = (outcome) => {
    if (!probes.asked.delete(settle)) return
    core.clock.clearTimeout(timer)
    if (probe !== null) probes.ahead.delete(probe)
    core.shelter(() => done(outcome))
  }
  const timer = core.clock.setTimeout(() => settle(failed(tooLate(core, index, waitMs))), waitMs)
  probes.asked.add(settle)
  core.clock.defer(() => {
    if (!probes.asked.has(settle)) return
    const wanted = index ?? core.commitIndex
    if (wanted < core.commitIndex) return settle(failed(passed(core, wanted, core.commitIndex)))
    probe = { index: wanted, task: lookAt(core, wanted, settle) }
    if (wanted > core.commitIndex) probes.ahead.add(probe)
    else core.toApplyQueue({ type: 'stateHash', task: probe.task })
  })
}

/** In the apply queue: no entry is being applied while it runs. */
function lookAt(core: NodeCore, wanted: LogIndex, settle: Done): StateProbe['task'] {
  let outcome = failed(noHash(core))
  return {
    run: (applied) => {
      const refused = refusal(core)
      if (refused !== null) outcome = failed(refused)
      // A snapshot has brought the state further.
      else if (applied.index !== wanted) outcome = failed(passed(core, wanted, applied.index))
      else {
        const hash: unknown = core.stateMachine.stateHash?.()
        if (typeof hash === 'string' && hash.length <= MAX_HASH_LENGTH)
          outcome = { ok: true, index: wanted, hash }
      }
      return applied
    },
    done: (error) => {
      if (error === null) return settle(outcome)
      const message = `The hash of the state could not be taken: ${messageOf(error)}`
      settle(failed(error instanceof QuorateError ? error : core.error('STATE_MACHINE', message)))
    },
  }
}

const failed = (error: QuorateError): StateHashOutcome => ({ ok: false, error })

function refusal(core: NodeCore): QuorateError | null {
  const refused = refusalToShow(core, 'onItself')
  if (refused !== null || core.stateMachine.stateHash !== undefined) return refused
  return core.error(
    'UNSUPPORTED',
    `The state machine of ${core.group} has no stateHash: give it one, and its states can be compared.`,
  )
}

function noHash({ id, group }: NodeCore): QuorateError {
  return new QuorateError(
    'STATE_MACHINE',
    `The stateHash of ${group} at ${id} returned no text of at most ${MAX_HASH_LENGTH} characters.`,
  )
}

function passed(core: NodeCore, wanted: LogIndex, at: LogIndex): QuorateError {
  const message = `Member ${core.id} of ${core.group} is at index ${at} already, past ${wanted}: ask for a later one.`
  return core.error('CONFLICT', message, { retryable: true })
}

function tooLate(core: NodeCore, index: LogIndex | null, waitMs: number): QuorateError {
  const place = index === null ? 'what was committed' : `index ${index}`
  const message = `Member ${core.id} of ${core.group} has not applied ${place} within ${waitMs} ms.`
  return core.error('TIMEOUT', message, { retryable: true })
}

function tooMany(core: NodeCore): QuorateError {
  const message = `More than ${MAX_PENDING} wait for a hash of the state of ${core.id}; try again shortly.`
  return core.error('BUSY', message, { retryable: true })
}
