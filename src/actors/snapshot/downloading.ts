// Taking a snapshot from another member (braft install_snapshot): offers are answered at once, whatever is going on; a
// copier fetches what was accepted.

import type { AnyActorRef } from 'xstate'
import { judgeOffer, type OfferVerdict } from '../../rules/snapshot.ts'
import { StorageError } from '../../storage/storage.ts'
import type { ExecutorContext, SnapshotEvent } from './snapshot.events.ts'
import type { SnapshotWorld } from './snapshot-world.ts'
import type { Offer } from './snapshots.ts'

/** What becomes of an offer; null: it is none. */
export function verdictOnOffer(
  { world, machine, job }: ExecutorContext,
  event: SnapshotEvent,
): OfferVerdict | null {
  if (event.type !== 'offer') return null
  const { activity, running, newestIndex } = world.snapshots
  // Committed is not enough: a leader commits with the disks of others.
  const settledIndex = Math.max(newestIndex, Math.min(world.commitIndex, world.log.durableIndex))
  const putOffMs = event.heardMs - (job.putOffSinceMs ?? event.heardMs)
  const verdict = judgeOffer({ activity, running, putOffMs, settledIndex }, event.offer)
  if (verdict === 'start' && isPublishing(job)) return 'busy'
  const hasRoom = activity === 'downloading' || world.input.throttle.hasRoom
  const canLoad = machine !== null || event.offer.meta.withheld === true
  return verdict === 'start' && !(canLoad && hasRoom) ? 'busy' : verdict
}

/** Says how it stands. What was accepted just now has been begun. */
export function answerOffer(context: ExecutorContext, event: SnapshotEvent): void {
  const { world, job } = context
  if (event.type !== 'offer') return
  const verdict = verdictOnOffer(context, event)
  const state = verdict === 'start' || verdict === null ? 'busy' : verdict
  if (state === 'busy' && world.snapshots.activity === 'saving') job.putOffSinceMs ??= event.heardMs
  const { doneBytes, totalBytes } = world.snapshots.progress
  const isUnderWay = state === 'accepted' || state === 'loading'
  world.answer(event.reply, {
    term: world.term,
    state,
    doneBytes: isUnderWay ? doneBytes : 0,
    totalBytes: isUnderWay ? totalBytes : 0,
    identity: 0,
  })
}

/** Gives up what is fetched for another offer, and begins this one. */
export function beginDownload(
  { world, job }: ExecutorContext,
  event: SnapshotEvent,
  spawn: (offer: Offer, version: number) => AnyActorRef,
): void {
  if (event.type !== 'offer') return
  const { offer } = event
  const { snapshots, logger, group } = world
  cancelCopier(world, job)
  snapshots.running = offer
  snapshots.progress = { doneBytes: 0, totalBytes: offer.bytes }
  const { index, term } = offer.id
  logger.info({ group, from: offer.from, index, term, bytes: offer.bytes }, 'A snapshot is fetched.')
  job.copier = spawn(offer, ++snapshots.copies)
}

export function isOfThisCopy({ world }: ExecutorContext, event: SnapshotEvent): boolean {
  return 'version' in event && event.version === world.snapshots.copies
}

export function isLocalFailure(event: SnapshotEvent): boolean {
  return event.type === 'copy.failed' && event.kind === 'local' && event.error?.code !== 'FULL'
}

/**
 * It is about to be the newest on this disk, whoever leads by then: what was given up now would lie there unknown, and an older
 * one that is offered next would take its place.
 */
export function isPublishing({ copier }: ExecutorContext['job']): boolean {
  return copier?.getSnapshot().value === 'publishing'
}

/** What is here stays for the next attempt. */
export function endDownload({ world, job }: ExecutorContext): void {
  cancelCopier(world, job)
  world.snapshots.running = null
}

/** Not this member's disk: the leader offers it again. */
export function noteCopyFailure(context: ExecutorContext, event: SnapshotEvent): void {
  if (event.type !== 'copy.failed') return
  const { world } = context
  const { kind, message } = event
  const from = world.snapshots.running?.from
  world.snapshots.lastError = message
  world.logger.warn({ group: world.group, from, kind, error: message }, 'A snapshot could not be fetched.')
  context.job.copier = null
  world.snapshots.running = null
}

export function tellCopyFailure({ world, job }: ExecutorContext, event: SnapshotEvent): void {
  job.copier = null
  world.snapshots.running = null
  if (event.type === 'copy.failed')
    world.send({ type: 'snapshot.failed', error: new StorageError('IO', event.message) })
}

function cancelCopier({ snapshots }: SnapshotWorld, job: ExecutorContext['job']): void {
  const { copier } = job
  job.copier = null
  snapshots.copies++
  if (copier?.getSnapshot().status === 'active') copier.send({ type: 'cancel' })
}
