// What the executor of snapshots hears, and what it keeps while it works.

import type { AnyActorRef } from 'xstate'
import type { QuorateError } from '../../errors.ts'
import { toError } from '../../runtime/errors.ts'
import type {
  SnapshotDone,
  SnapshotReader,
  SnapshotRecord,
  SnapshotResult,
  SnapshotSave,
  SnapshotStore,
} from '../../storage/snapshot-store.ts'
import type { Reply } from '../../transport/rpc/peer-rpc.ts'
import type { CopyReport } from './copier.actions.ts'
import { type MachineSnapshots, snapshotsOf } from './machine-snapshots.ts'
import type { SnapshotWorld } from './snapshot-world.ts'
import type { Offer, SnapshotOutcome } from './snapshots.ts'
import type { UserWriter } from './user-writer.ts'

export type SnapshotEvent =
  | { readonly type: 'open' }
  | { readonly type: 'store.opened'; readonly result: SnapshotResult<SnapshotStore> }
  /** `asked`: a caller's; null: the snapshot is taken by itself. */
  | { readonly type: 'save'; readonly asked: ((outcome: SnapshotOutcome) => void) | null }
  | { readonly type: 'save.captured' }
  | { readonly type: 'save.written' }
  | { readonly type: 'save.failed'; readonly error: Error }
  | { readonly type: 'save.published'; readonly result: SnapshotResult<SnapshotRecord> }
  | { readonly type: 'save.discarded' }
  | {
      readonly type: 'offer'
      readonly offer: Offer
      readonly heardMs: number
      readonly reply: Reply
    }
  /** What is fetched is of no use any more: the term has changed. */
  | { readonly type: 'cancel' }
  | { readonly type: 'load.opened'; readonly result: SnapshotResult<SnapshotReader> }
  | { readonly type: 'load.done'; readonly error: Error | null }
  | CopyReport
  | { readonly type: 'stop' }

/** A save under way. */
export interface Saving {
  readonly save: SnapshotSave
  readonly writer: UserWriter
  /** What the state machine has returned: the rest of the work. */
  background: unknown
}

export interface ExecutorContext {
  readonly world: SnapshotWorld
  /** Null: the state machine knows nothing of snapshots. */
  readonly machine: MachineSnapshots | null
  /** One mutable object: what the phases of one job hand on to each other. */
  readonly job: {
    saving: Saving | null
    /** Numbers saves: user code that has been given up may still come back. */
    saves: number
    /** Since when offers have been put off by this save; null: none has come. */
    putOffSinceMs: number | null
    startedMs: number
    /** By the state that was captured, since the start. */
    appliedBytes: number
    reader: SnapshotReader | null
    copier: AnyActorRef | null
    /** Whoever waits for the snapshot that is taken; null: nobody. */
    asked: ((outcome: SnapshotOutcome) => void) | null
  }
}

export function contextOf(world: SnapshotWorld): ExecutorContext {
  const nothing = { saving: null, reader: null, copier: null, asked: null }
  const job = { saves: 0, putOffSinceMs: null, startedMs: 0, appliedBytes: 0, ...nothing }
  return { world, machine: snapshotsOf(world.stateMachine), job }
}

/** The disk and user code answer whenever they like: maybe when the executor has ended. */
export function sendTo(self: AnyActorRef, event: SnapshotEvent): boolean {
  if (self.getSnapshot().status !== 'active') return false
  self.send(event)
  return true
}

/** Asks the disk; the answer is an event. What can be closed is, when nobody hears the answer any more. */
export function asEvent<T>(
  { world }: ExecutorContext,
  self: AnyActorRef,
  toEvent: (result: SnapshotResult<T>) => SnapshotEvent,
  unheard: (value: T) => void = () => {},
): SnapshotDone<T> {
  return (result) => {
    const isHeard = !world.gone && sendTo(self, toEvent(result))
    if (!isHeard && result.ok) unheard(result.value)
  }
}

/** The error that an event brings; null: none. */
export function errorOf(event: SnapshotEvent): Error | null {
  if ('result' in event) return event.result.ok ? null : event.result.error
  return 'error' in event && event.error !== null ? toError(event.error) : null
}

/** Tells whoever asked, once. */
export function settle(
  { world }: ExecutorContext,
  asked: ((outcome: SnapshotOutcome) => void) | null,
  outcome: SnapshotOutcome,
): void {
  if (asked !== null) world.shelter(() => asked(outcome))
}

export function refuse(context: ExecutorContext, event: SnapshotEvent, error: QuorateError): void {
  if (event.type === 'save') settle(context, event.asked, { ok: false, error })
}
