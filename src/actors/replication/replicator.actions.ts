// What a replicator does: builds AppendEntries frames from the log, keeps count of what is in flight, judges answers.

import type { AnyActorRef } from 'xstate'
import { backOff, maySend } from '../../rules/progress.ts'
import { deposes } from '../../rules/term.ts'
import type { LogEntry, Term } from '../../rules/types.ts'
import { toError } from '../../runtime/errors.ts'
import type { RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import { type FrameLimits, fitFrame, withinRuns } from '../../transport/wire/codec.ts'
import type { AppendEntriesResponse } from '../../transport/wire/messages/registry.ts'
import type { NodeCore } from '../node/node.core.ts'
import type { PeerProgress } from './peer-progress.ts'

export interface ReplicatorContext {
  readonly core: NodeCore
  readonly progress: PeerProgress
  /** The leadership this replicator belongs to. */
  readonly term: Term
  /** How long to stay blocked after the latest failure. */
  pauseMs: number
}

export type ReplicatorEvent =
  | { readonly type: 'log.grew' }
  | {
      readonly type: 'append.answered'
      readonly call: number
      readonly outcome: RpcOutcome<AppendEntriesResponse>
    }

const NO_ENTRIES: readonly LogEntry[] = []

/** Answers to frames that a reset has forgotten mean nothing any more (trap T28). */
export function isStale({ progress }: ReplicatorContext, event: ReplicatorEvent): boolean {
  return event.type !== 'append.answered' || progress.find(event.call) === undefined
}

/** No answer, an error for an answer, or a success that speaks of another term (trap T34). */
export function hasFailed({ term }: ReplicatorContext, event: ReplicatorEvent): boolean {
  if (event.type !== 'append.answered') return false
  const { outcome } = event
  return !outcome.ok || (outcome.response.success && outcome.response.term !== term)
}

export function isDeposed({ term }: ReplicatorContext, event: ReplicatorEvent): boolean {
  return event.type === 'append.answered' && event.outcome.ok && deposes(term, event.outcome.response.term)
}

export function isRefused(event: ReplicatorEvent): boolean {
  return event.type === 'append.answered' && event.outcome.ok && !event.outcome.response.success
}

export function isCaughtUp({ core, progress }: ReplicatorContext): boolean {
  return progress.inFlight.length === 0 && progress.nextIndex > core.log.lastIndex
}

/** An empty frame: where do our logs agree? */
export function sendProbe(context: ReplicatorContext, self: AnyActorRef): void {
  sendFrame(context, self, NO_ENTRIES)
}

/** Sends frames while the window has room and the log has entries. */
export function fillWindow(context: ReplicatorContext, self: AnyActorRef): void {
  const { core, progress } = context
  const { maxFramesInFlight, maxBytesInFlight, maxEntriesPerFrame, maxFrameBytes } = core.tuning
  const limit = { frames: maxFramesInFlight, bytes: maxBytesInFlight }
  const wanted = { maxEntries: maxEntriesPerFrame, maxBytes: maxFrameBytes }
  const frame = fitFrame(wanted, core.input.rpc.maxFrameBytes)
  while (progress.nextIndex <= core.log.lastIndex) {
    if (!maySend({ frames: progress.inFlight.length, bytes: progress.inFlightBytes }, limit)) return
    const entries = readEntries(context, frame)
    if (entries.length === 0) return
    sendFrame(context, self, entries)
  }
}

function readEntries(
  { core, progress }: ReplicatorContext,
  { maxEntries, maxBytes }: FrameLimits,
): readonly LogEntry[] {
  try {
    return withinRuns(core.log.slice(progress.nextIndex, maxEntries, maxBytes))
  } catch (error) {
    core.send({ type: 'fatal', error: toError(error) })
    return NO_ENTRIES
  }
}

function sendFrame(
  { core, progress, term }: ReplicatorContext,
  self: AnyActorRef,
  entries: readonly LogEntry[],
): void {
  const prevLogIndex = progress.nextIndex - 1
  let bytes = 0
  for (const entry of entries) bytes += entry.data.length
  const { call } = progress.sent({ prevLogIndex, count: entries.length, bytes, sentMs: core.clock.nowMs() })
  const prevLogTerm = core.log.termAt(prevLogIndex)
  const request = { term, prevLogIndex, prevLogTerm, committedIndex: core.commitIndex, entries }
  core.call(progress.peer, 'append_entries', request, core.tuning.appendTimeoutMs, (outcome) =>
    self.send({ type: 'append.answered', call, outcome }),
  )
}

/** The follower's log equals ours up to the end of this frame, durably. */
export function credit({ core, progress, term }: ReplicatorContext, event: ReplicatorEvent): void {
  const frame = event.type === 'append.answered' ? progress.find(event.call) : undefined
  if (frame === undefined) return
  progress.contact(frame.sentMs)
  if (progress.credit(frame)) core.send({ type: 'replica.matched', term })
}

/** The logs do not agree there: look further back. */
export function takeBack({ progress }: ReplicatorContext, event: ReplicatorEvent): void {
  if (event.type !== 'append.answered' || !event.outcome.ok) return
  const frame = progress.find(event.call)
  if (frame === undefined) return
  progress.contact(frame.sentMs)
  progress.reset()
  progress.nextIndex = backOff(frame.prevLogIndex + 1, event.outcome.response.lastLogIndex)
}

/** No answer, or an error for an answer: forget what is in flight, pause, probe again (trap T36). */
export function noteFailure(context: ReplicatorContext, event: ReplicatorEvent): void {
  const { core, progress } = context
  if (event.type !== 'append.answered') return
  progress.consecutiveErrors++
  progress.reset()
  const busy = !event.outcome.ok && event.outcome.failure.remoteCode === 'EBUSY'
  context.pauseMs = busy ? core.tuning.retryReplicateIntervalMs : core.heartbeatMs
}

export function reportTerm({ core }: ReplicatorContext, event: ReplicatorEvent): void {
  if (event.type === 'append.answered' && event.outcome.ok) {
    core.send({ type: 'term.higher', term: event.outcome.response.term })
  }
}
