// Taking a snapshot (braft do_snapshot): captured in the apply queue, written outside of it, published in one step, and
// only then told.

import type { AnyActorRef } from 'xstate'
import { QuorateError } from '../../errors.ts'
import { judgeSave, saveRetryMs } from '../../rules/snapshot.ts'
import {
  type ConfigurationEntry,
  configurationOf,
  EMPTY_CONFIGURATION,
  type LogId,
  type SnapshotMeta,
} from '../../rules/types.ts'
import { messageOf } from '../../runtime/errors.ts'
import { StorageError, type StorageErrorCode } from '../../storage/storage.ts'
import { afterwards, finishSave, type Later } from './machine-snapshots.ts'
import { lacksPayload } from './payload.ts'
import {
  asEvent,
  type ExecutorContext,
  errorOf,
  refuse,
  type SnapshotEvent,
  sendTo,
  settle,
} from './snapshot.events.ts'
import { UserWriter } from './user-writer.ts'

/** What is to become of a wish for a snapshot. */
export function verdictOnSave({ world, machine }: ExecutorContext, event: SnapshotEvent) {
  if (event.type !== 'save') return null
  if (machine === null && !lacksPayload(world)) return 'unsupported'
  const { activity, newestIndex } = world.snapshots
  return judgeSave({
    activity,
    appliedIndex: world.appliedIndex,
    snapshotIndex: newestIndex,
    minGapEntries: world.tuning.snapshotMinGapEntries,
  })
}

/** A success without a new snapshot; the log behind the one that is there has been wanted away (trap T70). */
export function answerNothingNew(context: ExecutorContext, event: SnapshotEvent): void {
  if (event.type !== 'save' || event.asked === null) return
  const { newest } = context.world.snapshots
  if (newest === null) {
    const error = new QuorateError('INVALID', 'Nothing has been applied yet: there is nothing to save.')
    return refuse(context, event, error)
  }
  context.world.send({ type: 'snapshot.unchanged' })
  settle(context, event.asked, { ok: true, record: newest })
}

export function refuseBusy(context: ExecutorContext, event: SnapshotEvent): void {
  const { activity } = context.world.snapshots
  const message = `A snapshot cannot be taken now: this member is ${activity} one; try again shortly.`
  refuse(context, event, new QuorateError('BUSY', message, { retryable: true }))
}

export function refuseUnsupported(context: ExecutorContext, event: SnapshotEvent): void {
  const message =
    'The state machine has neither onSnapshotSave and onSnapshotLoad nor snapshot and restore: it takes no snapshots.'
  refuse(context, event, new QuorateError('UNSUPPORTED', message))
}

export function refuseStopped(context: ExecutorContext, event: SnapshotEvent): void {
  refuse(context, event, new QuorateError('SHUTDOWN', 'The node is closed.'))
}

/** Queues the capture: it sees the state between two commands, and the position it stands for. */
export function capture(context: ExecutorContext, event: SnapshotEvent, self: AnyActorRef): void {
  const { world, job } = context
  job.asked = event.type === 'save' ? event.asked : null
  job.startedMs = world.clock.nowMs()
  job.putOffSinceMs = null
  const number = ++job.saves
  world.toApplyQueue({
    type: 'snapshotSave',
    task: {
      // Given up before its turn came: there is nothing to do.
      run: (applied, configuration) =>
        number === job.saves ? captureAt(context, applied, configuration) : applied,
      done: (error) => tellOf(context, number, self, 'save.captured', error),
    },
  })
}

/** User code has come back; when its save has been given up meanwhile, nobody hears of it. */
function tellOf(
  { job }: ExecutorContext,
  number: number,
  self: AnyActorRef,
  type: 'save.captured' | 'save.written',
  error: Error | null,
): void {
  if (number === job.saves) sendTo(self, error === null ? { type } : { type: 'save.failed', error })
}

function captureAt(
  { world, machine, job }: ExecutorContext,
  applied: LogId,
  configuration: ConfigurationEntry | null,
): Later<LogId> {
  const { store } = world.snapshots
  const withheld = lacksPayload(world)
  if (store === null || (machine === null && !withheld)) throw new Error('There is no place for a snapshot.')
  const meta: SnapshotMeta = {
    lastIncludedIndex: applied.index,
    lastIncludedTerm: applied.term,
    ...configurationOf(configuration ?? EMPTY_CONFIGURATION),
    ...(withheld ? { withheld } : {}),
  }
  const control = new AbortController()
  world.snapshots.control = control
  job.appliedBytes = world.snapshots.appliedBytes
  const save = store.create(meta, world.clock.wallMs())
  const progress = { doneBytes: 0, totalBytes: 0 }
  world.snapshots.progress = progress
  const writer = new UserWriter(save, meta, control.signal, progress, world.clock)
  const saving = { save, writer, background: undefined as unknown }
  job.saving = saving
  return afterwards(
    // Of what is lacking nothing can be saved: it stands for its place in the log, and for the members.
    () => (withheld ? undefined : machine?.capture(writer, control.signal)),
    (background) => {
      saving.background = background
      return applied
    },
  )
}

/** Commands are applied again; what is left of the save goes on beside them. */
export function write(context: ExecutorContext, self: AnyActorRef): void {
  const { saving, saves } = context.job
  if (saving === null) return
  finishSave(saving.background, saving.writer, (error) => tellOf(context, saves, self, 'save.written', error))
}

export function publish(context: ExecutorContext, self: AnyActorRef): void {
  context.job.saving?.save.publish(asEvent(context, self, (result) => ({ type: 'save.published', result })))
}

/** It is durable: from here on it is the newest, the log may follow, and whoever asked hears of it. */
export function noteSaved(context: ExecutorContext, event: SnapshotEvent): void {
  const { world, job } = context
  if (event.type !== 'save.published' || !event.result.ok) return
  const record = event.result.value
  const { meta, bytes, files } = record
  const { snapshots, clock } = world
  const durationMs = clock.nowMs() - job.startedMs
  snapshots.newest = record
  snapshots.appliedBytesAtNewest = job.appliedBytes
  snapshots.saves++
  snapshots.failuresInARow = 0
  snapshots.lastDurationMs = durationMs
  snapshots.lastError = null
  world.logger.info(
    {
      group: world.group,
      index: meta.lastIncludedIndex,
      term: meta.lastIncludedTerm,
      bytes,
      files: files.length,
      durationMs,
    },
    'A snapshot has been taken.',
  )
  world.send({ type: 'snapshot.saved', meta })
  endSave(context, { ok: true, record })
}

/** What was written is thrown away; the snapshot before it stays, and so does the log (scenario S2). */
export function noteSaveFailure(context: ExecutorContext, event: SnapshotEvent): void {
  const cause = errorOf(event) ?? new Error('unknown')
  countFailure(context, messageOf(cause))
  context.world.snapshots.abort()
  const code = cause instanceof StorageError ? 'STORAGE' : 'STATE_MACHINE'
  const message = `The snapshot could not be taken: ${messageOf(cause)}`
  endSave(context, { ok: false, error: new QuorateError(code, message, { cause }) })
}

/** The leader's snapshot has waited long enough for user code that saves: that one is of more use. */
export function giveUpSave(context: ExecutorContext, event: SnapshotEvent): void {
  if (event.type !== 'offer') return
  const { clock } = context.world
  const seconds = Math.round((clock.nowMs() - context.job.startedMs) / 1000)
  const { index } = event.offer.id
  const why = `the state machine has been saving for ${seconds} s, and the leader's snapshot up to index ${index} is needed here`
  countFailure(context, why)
  dropSave(context, new QuorateError('ABORTED', `The snapshot was given up: ${why}.`))
}

/** The node goes. */
export function abortSave(context: ExecutorContext): void {
  dropSave(context, new QuorateError('SHUTDOWN', 'The node was closed.'))
}

/** User code may stop, whoever waits is told, and what was written is as if it had never been. */
function dropSave(context: ExecutorContext, error: QuorateError): void {
  const { world, job } = context
  const { saving } = job
  world.snapshots.abort()
  job.saving = null
  job.saves++
  saving?.save.discard(() => {})
  endSave(context, { ok: false, error })
}

function countFailure({ world }: ExecutorContext, why: string): void {
  const { snapshots, clock, logger, group } = world
  snapshots.failures++
  snapshots.failuresInARow++
  snapshots.notBeforeMs = clock.nowMs() + saveRetryMs(snapshots.failuresInARow)
  snapshots.lastError = why
  logger.error({ group, error: why }, 'A snapshot could not be taken; the one before it stays.')
}

const MENDABLE: readonly StorageErrorCode[] = ['FULL', 'INVALID', 'CLOSED']

/** The own disk has failed, whatever user code made of it; no space left, or too much at once, only ends the attempt. */
export function isDiskFailure({ job }: ExecutorContext, event: SnapshotEvent): boolean {
  return [errorOf(event), job.saving?.writer.failure].some(
    (error) => error instanceof StorageError && !MENDABLE.includes(error.code),
  )
}

export function discard(context: ExecutorContext, self: AnyActorRef): void {
  const { saving } = context.job
  context.job.saving = null
  if (saving === null) sendTo(self, { type: 'save.discarded' })
  else saving.save.discard(() => sendTo(self, { type: 'save.discarded' }))
}

function endSave(context: ExecutorContext, outcome: Parameters<typeof settle>[2]): void {
  const { asked } = context.job
  context.job.asked = null
  context.world.snapshots.control = null
  settle(context, asked, outcome)
}
