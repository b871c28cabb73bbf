// The heartbeat to one follower, independent of replication: a full window or a slow disk must not look like a dead
// leader (braft Replicator::_send_empty_entries). In the answer terms and times matter, and a refusal tells of a follower
// that lost its log.

import { type AnyActorRef, setup } from 'xstate'
import { backOff } from '../../rules/progress.ts'
import { deposes } from '../../rules/term.ts'
import type { LogIndex, Term } from '../../rules/types.ts'
import type { RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import type { AppendEntriesResponse } from '../../transport/wire/messages/registry.ts'
import { heartbeatRequest } from './heartbeat-request.ts'
import type { PeerProgress } from './peer-progress.ts'
import type { ReplicationWorld } from './replication-world.ts'

export interface HeartbeatContext {
  readonly core: ReplicationWorld
  readonly progress: PeerProgress
  /** Of the same follower. */
  readonly replicator: AnyActorRef
  readonly term: Term
}

type HeartbeatEvent =
  | {
      readonly type: 'heartbeat.answered'
      readonly sentMs: number
      readonly outcome: RpcOutcome<AppendEntriesResponse>
    }
  | { readonly type: 'beat' }

const heartbeat = setup({
  types: { context: {} as HeartbeatContext, events: {} as HeartbeatEvent, input: {} as HeartbeatContext },
  actions: {
    send: ({ context, self }) => sendHeartbeat(context, self),
    note: ({ context, event }) => noteAnswer(context, event),
  },
  delays: { interval: ({ context }) => context.core.heartbeatMs },
})

export const heartbeatMachine = heartbeat.createMachine({
  id: 'heartbeat',
  context: ({ input }) => input,
  initial: 'resting',
  states: {
    resting: {
      after: { interval: { target: 'beating' } },
      on: { beat: { target: 'beating' } },
    },
    beating: {
      entry: 'send',
      on: { 'heartbeat.answered': { target: 'resting', actions: 'note' } },
    },
  },
})

function sendHeartbeat({ core, progress, term }: HeartbeatContext, self: AnyActorRef): void {
  const sentMs = core.clock.nowMs()
  const timeoutMs = Math.max(1, Math.floor(core.tuning.electionTimeoutMs / 2))
  core.call(progress.peer, 'heartbeat', heartbeatRequest(core, progress, term), timeoutMs, (outcome) => {
    if (self.getSnapshot().status === 'active') self.send({ type: 'heartbeat.answered', sentMs, outcome })
  })
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
