// What a replicator does: builds AppendEntries frames from the log, keeps count of what is in flight, judges answers.

import type { AnyActorRef } from 'xstate'
import { lastPossibleMatch } from '../../rules/conflict.ts'
import { backOff, maySend } from '../../rules/progress.ts'
import { sendable } from '../../rules/readonly.ts'
import { deposes } from '../../rules/term.ts'
import type { LogEntry, LogId, Term } from '../../rules/types.ts'
import { withhold } from '../../rules/witness.ts'
import { passes } from '../../runtime/trace-points.ts'
import type { FetchResult } from '../../storage/storage.ts'
import type { RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import { type FrameLimits, fitFrame, withinRuns } from '../../transport/wire/codec.ts'
import type { AppendEntriesResponse } from '../../transport/wire/messages/registry.ts'
import { Backlog } from './backlog.ts'
import { type OfferEvent, Offering } from './offering.ts'
import { Pacer } from './pacer.ts'
import type { Frame, PeerProgress } from './peer-progress.ts'
import type { ReplicationWorld } from './replication-world.ts'

export interface ReplicatorInput {
  readonly core: ReplicationWorld
  readonly progress: PeerProgress
  /** The leadership this replicator belongs to. */
  readonly term: Term
}

export interface ReplicatorContext extends ReplicatorInput {
  readonly backlog: Backlog
  readonly pacer: Pacer
  readonly offering: Offering
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
  /** The turn in which old entries were sent is over. */
  | { readonly type: 'turn.ended' }
  | { readonly type: 'backlog.read'; readonly read: number; readonly result: FetchResult }
  | OfferEvent

const NO_ENTRIES: readonly LogEntry[] = []

export function contextOf(input: ReplicatorInput): ReplicatorContext {
  return {
    backlog: new Backlog(),
    ...input,
    pacer: new Pacer(),
    offering: new Offering(),
    pauseMs: input.core.heartbeatMs,
  }
}

// ---- what an answer means

/** Answers to frames that a reset has forgotten mean nothing any more (trap T28), nor do reads that it gave up. */
export function isStale({ progress, backlog, offering }: ReplicatorContext, event: ReplicatorEvent): boolean {
  if (isOffer(event)) return offering.isStale(event)
  if (event.type === 'backlog.read') return event.read !== backlog.reading
  return event.type !== 'append.answered' || progress.find(event.call) === undefined
}

export function isOffer(event: ReplicatorEvent): event is OfferEvent {
  return event.type === 'snapshot.opened' || event.type === 'offer.answered'
}

type Answered = Extract<ReplicatorEvent, { type: 'append.answered' | 'offer.answered' }>

function isAnswer(event: ReplicatorEvent): event is Answered {
  return event.type === 'append.answered' || event.type === 'offer.answered'
}

/** No answer, an error for an answer, or a success that speaks of another term (trap T34). */
export function hasFailed({ term }: ReplicatorContext, event: ReplicatorEvent): boolean {
  if (!isAnswer(event)) return false
  if (!event.outcome.ok) return true
  const { response } = event.outcome
  return response.term !== term && ('state' in response || response.success)
}

export function isDeposed({ term }: ReplicatorContext, event: ReplicatorEvent): boolean {
  return isAnswer(event) && event.outcome.ok && deposes(term, event.outcome.response.term)
}

export function isRefused(event: ReplicatorEvent): boolean {
  return event.type === 'append.answered' && event.outcome.ok && !event.outcome.response.success
}

export function isCaughtUp({ core, progress }: ReplicatorContext): boolean {
  return progress.inFlight.length === 0 && progress.nextIndex > core.log.lastIndex
}

// ---- what can be sent

/**
 * The entry before the next one, by which the follower checks that its log equals ours; null when it is compacted: then
 * no AppendEntries can be made, for a term that is unknown must never be sent as if it were one.
 */
function previousEntry({ core, progress }: ReplicatorContext): LogId | null {
  const index = progress.nextIndex - 1
  const term = core.log.termAt(index)
  return index === 0 || term > 0 ? { index, term } : null
}

/** What the follower needs next is not in the log any more: only a snapshot can help it. */
export function needsSnapshot(context: ReplicatorContext, event: ReplicatorEvent): boolean {
  const isCompacted = event.type === 'backlog.read' && event.result.kind === 'compacted'
  return (
    isCompacted || context.progress.nextIndex < context.core.log.firstIndex || previousEntry(context) === null
  )
}

/** An empty frame: where do our logs agree? */
export function sendProbe(context: ReplicatorContext, self: AnyActorRef): void {
  sendFrame(context, self, NO_ENTRIES)
}

/** Sends frames while the window has room, the log has entries, and old ones are not in anybody's way. */
export function fillWindow(context: ReplicatorContext, self: AnyActorRef): void {
  const { core, progress, pacer } = context
  pacer.look(core.log.lastIndex, core.commitIndex, core.clock.nowMs())
  const { maxFramesInFlight, maxBytesInFlight } = core.tuning
  const limit = { frames: maxFramesInFlight, bytes: maxBytesInFlight }
  const frame = frameLimits(core)
  while (progress.nextIndex <= core.log.lastIndex) {
    if (!maySend({ frames: progress.inFlight.length, bytes: progress.inFlightBytes }, limit)) break
    const some = sendable(nextEntries(context, frame), progress.readonlyIndex)
    const entries = progress.isWitness ? withhold(some, progress.tellableIndex) : some
    const last = entries.at(-1)
    if (last === undefined) break
    const isSettled = last.index <= core.commitIndex
    if (isSettled && !pacer.mayGoOn) break
    const bytes = sendFrame(context, self, entries)
    if (isSettled && pacer.sent(bytes, core.log.lastIndex)) goOnNextTurn(context, self)
  }
  readAhead(context, self, frame)
}

/** What else has come by then goes first. */
function goOnNextTurn({ core, pacer }: ReplicatorContext, self: AnyActorRef): void {
  core.clock.defer(() => {
    pacer.turnEnded()
    if (self.getSnapshot().status === 'active') self.send({ type: 'turn.ended' })
  })
}

function frameLimits({ tuning, input }: ReplicationWorld): FrameLimits {
  const { maxEntriesPerFrame: maxEntries, maxFrameBytes: maxBytes } = tuning
  return fitFrame({ maxEntries, maxBytes }, input.rpc.maxFrameBytes)
}

/** From memory, or from what was read ahead; none while they have to be waited for. */
function nextEntries(
  { core, progress, backlog }: ReplicatorContext,
  frame: FrameLimits,
): readonly LogEntry[] {
  const from = progress.nextIndex
  const inMemory = core.log.cached(from, frame.maxEntries, frame.maxBytes)
  return withinRuns(inMemory ?? backlog.peek(from, frame))
}

/** The log has more, and it has to be waited for. */
export function isStarved({ core, progress, backlog }: ReplicatorContext): boolean {
  const { nextIndex } = progress
  return nextIndex < core.log.firstCachedIndex && backlog.peek(nextIndex, frameLimits(core)).length === 0
}

function readAhead(context: ReplicatorContext, self: AnyActorRef, frame: FrameLimits): void {
  const { core, progress, backlog } = context
  backlog.readAhead(core.log, progress.nextIndex, frame, (read, result) => {
    if (self.getSnapshot().status === 'active') self.send({ type: 'backlog.read', read, result })
  })
}

/** Returns the bytes of the entries. */
function sendFrame(context: ReplicatorContext, self: AnyActorRef, entries: readonly LogEntry[]): number {
  const { core, progress, term } = context
  const previous = previousEntry(context)
  if (previous === null) return 0
  const { index: prevLogIndex, term: prevLogTerm } = previous
  let bytes = 0
  for (const entry of entries) bytes += entry.data.length
  const { commitIndex: committedIndex } = core
  const sentMs = core.clock.nowMs()
  const { call } = progress.sent({ prevLogIndex, count: entries.length, bytes, sentMs, committedIndex })
  const request = { term, prevLogIndex, prevLogTerm, committedIndex, entries }
  core.call(progress.peer, 'append_entries', request, core.tuning.appendTimeoutMs, (outcome) => {
    passes('answer read')
    if (self.getSnapshot().status === 'active') self.send({ type: 'append.answered', call, outcome })
  })
  if (entries.length > 0) passes('frame sent')
  return bytes
}

// ---- what follows from an answer

/** The follower's log equals ours up to the end of this frame, durably. */
export function credit(context: ReplicatorContext, event: ReplicatorEvent): void {
  const { core, progress, term } = context
  const frame = event.type === 'append.answered' ? progress.find(event.call) : undefined
  if (frame === undefined) return
  noteFiles(progress, event)
  progress.contact(frame.sentMs)
  const hasMatched = progress.credit(frame)
  if (progress.inFlight.length === 0) endBurst(context, frame)
  if (hasMatched) core.send({ type: 'replica.matched', term })
}

function noteFiles(progress: PeerProgress, event: ReplicatorEvent): void {
  if (event.type !== 'append.answered' || !event.outcome.ok) return
  progress.speaksOf(event.outcome.response.identity)
  progress.lacksPayload = event.outcome.response.withheld
}

function endBurst({ core, progress, pacer }: ReplicatorContext, last: Frame): void {
  const { tuning, log } = core
  pacer.answered(last, core.clock.nowMs(), progress.roundTripMs, log.lastIndex, tuning.maxBytesInFlight)
}

/** The logs do not agree there: look further back. */
export function takeBack({ progress, core }: ReplicatorContext, event: ReplicatorEvent): void {
  if (event.type !== 'append.answered' || !event.outcome.ok) return
  const frame = progress.find(event.call)
  if (frame === undefined) return
  noteFiles(progress, event)
  progress.contact(frame.sentMs)
  progress.reset()
  progress.nextIndex = nextProbe(core, frame.prevLogIndex, event.outcome.response)
}

function nextProbe({ log }: ReplicationWorld, prevLogIndex: number, response: AppendEntriesResponse): number {
  const { lastLogIndex, conflictTerm, conflictIndex } = response
  if (conflictTerm === 0) return backOff(prevLogIndex + 1, lastLogIndex)
  const refusal = { prevLogIndex, lastLogIndex, conflictTerm, conflictIndex }
  const lastOf = (term: Term, limit: number): number => log.lastOfTermAtMost(term, limit)
  return lastPossibleMatch(refusal, (index) => log.termAt(index), lastOf) + 1
}

/** No answer, or an error for an answer: forget what is in flight, pause, probe again (trap T36). */
export function noteFailure(context: ReplicatorContext, event: ReplicatorEvent): void {
  const { core, progress } = context
  progress.consecutiveErrors++
  progress.reset()
  const busy = !isAnswer(event) || event.outcome.ok || event.outcome.failure.remoteCode === 'EBUSY'
  context.pauseMs = busy ? core.tuning.retryReplicateIntervalMs : core.heartbeatMs
}

export function reportTerm({ core }: ReplicatorContext, event: ReplicatorEvent): void {
  if (isAnswer(event) && event.outcome.ok) {
    core.send({ type: 'term.higher', term: event.outcome.response.term })
  }
}

// ---- the backlog

export function hasReadFailed(event: ReplicatorEvent): boolean {
  return event.type === 'backlog.read' && event.result.kind === 'failed'
}

export function takeBacklog({ backlog }: ReplicatorContext, event: ReplicatorEvent): void {
  if (event.type === 'backlog.read' && event.result.kind === 'entries') backlog.take(event.result.entries)
}

/** A log that cannot be read stops the node (INV-22). */
export function reportReadFailure({ core }: ReplicatorContext, event: ReplicatorEvent): void {
  if (event.type === 'backlog.read' && event.result.kind === 'failed') {
    core.send({ type: 'fatal', error: event.result.error })
  }
}

/** What was read or learned for this stretch of the log is of no use for another. */
export function dropBacklog({ backlog, pacer }: ReplicatorContext): void {
  backlog.drop()
  pacer.reset()
}
