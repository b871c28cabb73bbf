// Opening the snapshots of a member, and replacing its state by the newest one (braft on_snapshot_load).

import type { AnyActorRef } from 'xstate'
import { QuorateError } from '../../errors.ts'
import { mayLoad } from '../../rules/snapshot.ts'
import type { LogId } from '../../rules/types.ts'
import { messageOf, toError } from '../../runtime/errors.ts'
import type { SnapshotReader, SnapshotStore } from '../../storage/snapshot-store.ts'
import type { LoadedPosition } from '../apply/apply-queue.events.ts'
import { afterwards, type Later } from './machine-snapshots.ts'
import { asEvent, type ExecutorContext, errorOf, type SnapshotEvent, sendTo } from './snapshot.events.ts'
import { UserReader } from './user-reader.ts'

export function openStore(context: ExecutorContext, self: AnyActorRef): void {
  const { group, input } = context.world
  const opened = asEvent<SnapshotStore>(
    context,
    self,
    (result) => ({ type: 'store.opened', result }),
    (store) => store.close(() => {}),
  )
  input.storage.openSnapshots(group, opened)
}

export function takeStore({ world, machine }: ExecutorContext, event: SnapshotEvent): void {
  if (event.type !== 'store.opened' || !event.result.ok) return
  world.snapshots.store = event.result.value
  if (machine !== null) return
  const message = 'The state machine takes no snapshots: the log of this member grows for ever.'
  world.logger.warn({ group: world.group }, message)
}

/** It was opened for a node that has stopped meanwhile. */
export function letGo(event: SnapshotEvent): void {
  if (event.type === 'store.opened' && event.result.ok) event.result.value.close(() => {})
  if (event.type === 'load.opened' && event.result.ok) event.result.value.close()
}

export function openNewest(context: ExecutorContext, self: AnyActorRef): void {
  const { world, job } = context
  job.startedMs = world.clock.nowMs()
  const opened = asEvent<SnapshotReader>(
    context,
    self,
    (result) => ({ type: 'load.opened', result }),
    (reader) => reader.close(),
  )
  world.snapshots.store?.open(opened)
}

/** Queues the load: it comes after what is committed before, and nothing is applied until it is through. */
export function load(context: ExecutorContext, event: SnapshotEvent, self: AnyActorRef): void {
  if (event.type !== 'load.opened' || !event.result.ok) return
  const reader = event.result.value
  context.job.reader = reader
  context.world.toApplyQueue({
    type: 'snapshotLoad',
    task: {
      run: (applied) => loadFrom(context, reader, applied),
      done: (error) => sendTo(self, { type: 'load.done', error }),
    },
  })
}

function loadFrom(
  { world, machine }: ExecutorContext,
  reader: SnapshotReader,
  applied: LogId,
): Later<LoadedPosition> {
  const { lastIncludedIndex: index, lastIncludedTerm: term, peers, oldPeers, withheld } = reader.record.meta
  if (!mayLoad(applied.index, index)) return applied
  // There is no state in it: what the machine has stays as it is, and is shown to nobody.
  if (withheld === true) return { index, term, configuration: { peers, oldPeers } }
  if (machine === null) throw unloadable(world.group, index, 'it knows nothing of snapshots')
  const control = new AbortController()
  world.snapshots.control = control
  const reached = { index, term, configuration: { peers, oldPeers } }
  return afterwards(
    () => machine.load(new UserReader(reader), control.signal),
    () => reached,
    (error) =>
      isOfTheDisk(error)
        ? unreadable(world.group, index, messageOf(error), error)
        : unloadable(world.group, index, messageOf(error), error),
  )
}

function unloadable(group: string, index: number, why: string, cause?: unknown): QuorateError {
  const message = `The state machine could not load the snapshot of ${group} up to index ${index}: ${why}`
  return new QuorateError('STATE_MACHINE', message, { cause })
}

/** User code may have put it into an error of its own. */
function isOfTheDisk(error: unknown): boolean {
  const { cause } = toError(error)
  return [error, cause].some((each) => each instanceof QuorateError && each.code === 'STORAGE')
}

function unreadable(group: string, index: number, why: string, cause: unknown): QuorateError {
  const message = `The snapshot of ${group} up to index ${index} could not be read from this disk: ${why}`
  return new QuorateError('STORAGE', message, { cause })
}

/** The state is there: log and configuration follow, and further offers of it are answered as installed. */
export function noteLoaded(context: ExecutorContext): void {
  const { world, job } = context
  const { reader } = job
  if (reader === null) return
  const { meta, bytes } = reader.record
  const { snapshots, clock, logger, group } = world
  endLoad(context)
  snapshots.newest = snapshots.store?.newest ?? null
  snapshots.appliedBytesAtNewest = snapshots.appliedBytes
  snapshots.lastDurationMs = clock.nowMs() - job.startedMs
  const { lastIncludedIndex: index, lastIncludedTerm: term } = meta
  logger.info(
    { group, index, term, bytes, durationMs: snapshots.lastDurationMs },
    'A snapshot has been loaded.',
  )
  world.send({ type: 'snapshot.loaded', meta })
}

export function endLoad({ world, job }: ExecutorContext): void {
  job.reader?.close()
  job.reader = null
  world.snapshots.control = null
  world.snapshots.running = null
}

/** What stops the node: its disk has failed, or what is on it cannot be used. */
export function tellFailure(context: ExecutorContext, event: SnapshotEvent): void {
  endLoad(context)
  const error = errorOf(event)
  if (error !== null) context.world.send({ type: 'snapshot.failed', error })
}
