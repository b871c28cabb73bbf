// The heartbeat to one follower, independent of replication: a full window or a slow disk must not look like a dead
// leader (braft section 6.7). In the answer terms and times matter, and a refusal tells of a follower that lost its log.

import { type AnyActorRef, setup } from 'xstate'
import { backOff } from '../../rules/progress.ts'
import { deposes } from '../../rules/term.ts'
import type { LogIndex, Term } from '../../rules/types.ts'
import type { RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import type { AppendEntriesRequest, AppendEntriesResponse } from '../../transport/wire/messages/registry.ts'
import type { NodeCore } from '../node/node.core.ts'
import type { PeerProgress } from './peer-progress.ts'

export interface HeartbeatContext {
  readonly core: NodeCore
  readonly progress: PeerProgress
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

/**
 * A heartbeat names the position that this follower is known to share, so it always matches and carries the commit
 * index as far as that; (0, 0) when the position is unknown or compacted (trap T33).
 */
export function heartbeatRequest(core: NodeCore, progress: PeerProgress, term: Term): AppendEntriesRequest {
  const prevLogTerm = core.log.termAt(progress.matchIndex)
  const prevLogIndex = prevLogTerm === 0 ? 0 : progress.matchIndex
  return { term, prevLogIndex, prevLogTerm, committedIndex: core.commitIndex, entries: [] }
}

function sendHeartbeat({ core, progress, term }: HeartbeatContext, self: AnyActorRef): void {
  const sentMs = core.clock.nowMs()
  const timeoutMs = Math.max(1, Math.floor(core.tuning.electionTimeoutMs / 2))
  core.call(progress.peer, 'heartbeat', heartbeatRequest(core, progress, term), timeoutMs, (outcome) =>
    self.send({ type: 'heartbeat.answered', sentMs, outcome }),
  )
}

function noteAnswer({ core, progress, term }: HeartbeatContext, event: HeartbeatEvent): void {
  if (event.type !== 'heartbeat.answered') return
  if (!event.outcome.ok) {
    progress.consecutiveErrors++
    return
  }
  if (deposes(term, event.outcome.response.term)) {
    core.send({ type: 'term.higher', term: event.outcome.response.term })
    return
  }
  const { success, lastLogIndex } = event.outcome.response
  progress.contact(event.sentMs)
  if (!success) offerAgain(core, progress, lastLogIndex)
}

/**
 * The position is one that the follower had acknowledged, so a refusal means that its disk was wiped or replaced since.
 * Its replicator waits for new entries and would leave it as it is until the next command; frames in flight will be
 * refused and see to it themselves.
 */
function offerAgain(core: NodeCore, progress: PeerProgress, lastLogIndex: LogIndex): void {
  if (progress.state !== 'waiting' || progress.inFlight.length > 0) return
  progress.nextIndex = backOff(progress.matchIndex + 1, lastLogIndex)
  core.followers.get(progress.peer)?.replicator.send({ type: 'log.grew' })
}
