// The proposal queue: gathers what is proposed (and read) in one turn, so that the node sees one event for all of it
// (braft ApplyQueue).

import type { AnyActorRef } from 'xstate'
import type { Clock } from '../runtime/clock.ts'
import type { Proposal } from './closures.ts'
import { hot } from './hot.ts'
import type { PendingRead } from './node.events.ts'

export interface ProposalQueueInput {
  readonly clock: Clock
  readonly node: AnyActorRef
}

export type ProposalQueueEvent =
  | { readonly type: 'propose'; readonly proposal: Proposal }
  | { readonly type: 'read'; readonly read: PendingRead }
  | { readonly type: 'flush' }

export interface Gathered extends ProposalQueueInput {
  proposals: Proposal[]
  reads: PendingRead[]
  flushing: boolean
}

export const proposalQueue = hot<Gathered, ProposalQueueEvent, ProposalQueueInput>({
  init: (input) => ({ ...input, proposals: [], reads: [], flushing: false }),
  on: (queue, event, { self }) => {
    if (event.type === 'flush') return flush(queue)
    if (event.type === 'propose') queue.proposals.push(event.proposal)
    else queue.reads.push(event.read)
    if (queue.flushing) return
    queue.flushing = true
    queue.clock.defer(() => self.send({ type: 'flush' }))
  },
})

function flush(queue: Gathered): void {
  const { proposals, reads } = queue
  queue.proposals = []
  queue.reads = []
  queue.flushing = false
  if (proposals.length > 0) queue.node.send({ type: 'propose', proposals })
  if (reads.length > 0) queue.node.send({ type: 'read', reads })
}
