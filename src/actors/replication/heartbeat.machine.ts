// The heartbeat to one follower, independent of replication: a full window or a slow disk must not look like a dead
// leader (braft Replicator::_send_empty_entries). In the answer terms and times matter, and a refusal tells of a follower
// that lost its log.

import { type AnyActorRef, setup } from 'xstate'
import { backOff } from '../../rules/progress.ts'
import { type DueHeartbeat, type HeartbeatVerdict, isCalm, judgeHeartbeat } from '../../rules/quiescence.ts'
import { deposes } from '../../rules/term.ts'
import type { LogIndex, Term } from '../../rules/types.ts'
import type { RpcOutcome, Vouched } from '../../transport/rpc/peer-rpc.ts'
import type { AppendEntriesRequest, AppendEntriesResponse } from '../../transport/wire/messages/registry.ts'
import { heartbeatRequest } from './heartbeat-request.ts'
import { LeaderSleep } from './leader-sleep.ts'
import type { PeerProgress } from './peer-progress.ts'
import type { ReplicationWorld } from './replication-world.ts'

export interface HeartbeatInput {
  readonly core: ReplicationWorld
  readonly progress: PeerProgress
  /** Of the same follower. */
  readonly replicator: AnyActorRef
  readonly term: Term
  /** Nothing goes on in this leadership that is not in the log. */
  readonly isSettled: () => boolean
}

export interface HeartbeatContext extends HeartbeatInput {
  /** On what came due last. */
  verdict: HeartbeatVerdict
}

type HeartbeatEvent =
  | {
      readonly type: 'heartbeat.answered'
      readonly sentMs: number
      readonly request: AppendEntriesRequest
      readonly outcome: RpcOutcome<AppendEntriesResponse>
    }
  | { readonly type: 'sleep.answered'; readonly vouched: Vouched | null }
  /** Its process does not vouch for the follower any more. */
  | { readonly type: 'roused' }
  | { readonly type: 'beat' }
  /** More is committed than the follower has heard of. */
  | { readonly type: 'tell' }

const heartbeat = setup({
  types: { context: {} as HeartbeatContext, events: {} as HeartbeatEvent, input: {} as HeartbeatInput },
  guards: {
    isToSleep: ({ context }) => context.verdict === 'sleep',
    isHeardAnyway: ({ context }) => context.verdict === 'skip',
    isAgreed: ({ event }) => event.type === 'sleep.answered' && event.vouched !== null,
  },
  actions: {
    judge: ({ context }) => judge(context),
    send: ({ context, self }) => sendHeartbeat(context, self),
    note: ({ context, event }) => noteAnswer(context, event),
    askToSleep: ({ context, self }) => askToSleep(context, self),
    noteAsleep: ({ context: { progress }, event }) => {
      if (event.type === 'sleep.answered' && event.vouched !== null) progress.fallAsleep(event.vouched)
    },
    noteAwake: ({ context: { core, progress, term } }) => {
      progress.wakeUp()
      progress.calmBeats = 0
      core.send({ type: 'follower.roused', term })
    },
  },
  delays: { interval: ({ context: { core } }) => untilNextBeatMs(core) },
})

export const heartbeatMachine = heartbeat.createMachine({
  id: 'heartbeat',
  context: ({ input }) => ({ verdict: 'beat', ...input }),
  initial: 'resting',
  states: {
    resting: {
      after: { interval: { target: 'due' } },
      on: { beat: { target: 'beating' } },
    },
    due: {
      entry: 'judge',
      always: [
        { guard: 'isToSleep', target: 'asking' },
        { guard: 'isHeardAnyway', target: 'resting' },
        { target: 'beating' },
      ],
    },
    beating: {
      entry: 'send',
      on: { 'heartbeat.answered': { target: 'resting', actions: 'note' } },
    },
    /** The group is idle: may the processes vouch for it? */
    asking: {
      entry: 'askToSleep',
      on: {
        'sleep.answered': [{ guard: 'isAgreed', target: 'asleep' }, { target: 'beating' }],
        beat: { target: 'beating' },
      },
    },
    /** Its process vouches for the follower. Entries go on being sent; what they have led to is told when nothing else tells it. */
    asleep: {
      entry: 'noteAsleep',
      exit: 'noteAwake',
      on: { roused: { target: 'beating' }, beat: { target: 'beating' } },
      initial: 'quiet',
      states: {
        quiet: { on: { tell: { target: 'telling' } } },
        telling: {
          entry: 'send',
          on: { 'heartbeat.answered': { target: 'quiet', actions: 'note' } },
        },
      },
    },
  },
})

/** Those of all groups of a process fall due together, so that they leave together. */
function untilNextBeatMs({ heartbeatMs, clock, input: { rpc } }: ReplicationWorld): number {
  return rpc.sharesProcess ? Math.max(1, Math.ceil(heartbeatMs - (clock.nowMs() % heartbeatMs))) : heartbeatMs
}

function judge(context: HeartbeatContext): void {
  const { core, progress, isSettled } = context
  const due: DueHeartbeat = {
    sharesProcess: core.input.rpc.sharesProcess,
    leasesOn: core.tuning.leaderLease,
    // Asked only where it can matter: it looks at all members.
    isSettled: progress.toldIndex === core.log.lastIndex && isSettled(),
    isQuiet:
      progress.state === 'waiting' && progress.inFlight.length === 0 && progress.consecutiveErrors === 0,
    ...{ lastIndex: core.log.lastIndex, commitIndex: core.commitIndex, heartbeatMs: core.heartbeatMs },
    ...{ matchIndex: progress.matchIndex, toldIndex: progress.toldIndex, calmBeats: progress.calmBeats },
    ...{ silentMs: core.clock.nowMs() - progress.lastContactMs, framesSince: progress.framesSince },
  }
  context.verdict = judgeHeartbeat(due)
  progress.calmBeats = isCalm(due) ? progress.calmBeats + 1 : 0
  progress.framesSince = 0
}

function askToSleep({ core, progress, term }: HeartbeatContext, self: AnyActorRef): void {
  core.input.rpc.askToSleep(progress.peer, new LeaderSleep(core, progress, term, self))
}

function sendHeartbeat({ core, progress, term }: HeartbeatContext, self: AnyActorRef): void {
  const sentMs = core.clock.nowMs()
  const timeoutMs = Math.max(1, Math.floor(core.tuning.electionTimeoutMs / 2))
  const request = heartbeatRequest(core, progress, term)
  const done = (outcome: RpcOutcome<AppendEntriesResponse>): void => {
    if (self.getSnapshot().status === 'active')
      self.send({ type: 'heartbeat.answered', sentMs, request, outcome })
  }
  core.input.rpc.heartbeat(progress.peer, { group: core.group, request, timeoutMs, done })
}

function noteAnswer(context: HeartbeatContext, event: HeartbeatEvent): void {
  const { core, progress, term } = context
  if (event.type !== 'heartbeat.answered') return
  if (!event.outcome.ok) {
    progress.consecutiveErrors++
    return
  }
  if (deposes(term, event.outcome.response.term)) {
    core.send({ type: 'term.higher', term: event.outcome.response.term })
    return
  }
  const { success, lastLogIndex, identity, readonly, withheld } = event.outcome.response
  progress.speaksOf(identity)
  progress.lacksPayload = withheld
  progress.contact(event.sentMs)
  if (success) progress.told(event.request.committedIndex, event.request.prevLogIndex)
  progress.noteRoundTrip(core.clock.nowMs() - event.sentMs)
  if (!success) offerAgain(context, lastLogIndex)
  noteReadonly(context, readonly)
}

/** What was sent before stays sent. Whoever may be written to again gets what it has missed. */
function noteReadonly({ core, progress, replicator, term }: HeartbeatContext, isReadonly: boolean): void {
  if (isReadonly === progress.isReadonly) return
  progress.readonlyIndex = isReadonly ? core.log.lastIndex + 1 : null
  const fields = { group: core.group, term, peer: progress.peer, readonly: isReadonly }
  core.logger.info(fields, 'A follower is read-only, or not any more.')
  if (!isReadonly) replicator.send({ type: 'log.grew' })
}

/**
 * The position is one that the follower had acknowledged, so a refusal means that its disk was wiped or replaced since.
 * Its replicator waits for new entries and would leave it as it is until the next command; frames in flight will be
 * refused and see to it themselves.
 */
function offerAgain({ progress, replicator }: HeartbeatContext, lastLogIndex: LogIndex): void {
  if (progress.state !== 'waiting' || progress.inFlight.length > 0) return
  progress.nextIndex = backOff(progress.matchIndex + 1, lastLogIndex)
  replicator.send({ type: 'log.grew' })
}
