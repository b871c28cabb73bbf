// The proposal queue: gathers what is proposed (and read) in one turn, so that the node sees one event for all of it
// (braft ApplyQueue).

import type { Proposal } from './closures.ts'
import { hot } from './hot.ts'
import type { NodeCore } from './node.core.ts'
import type { PendingRead } from './node.events.ts'

export interface ProposalQueueInput {
  readonly core: NodeCore
}

export type ProposalQueueEvent =
  | { readonly type: 'propose'; readonly proposal: Proposal }
  | { readonly type: 'read'; readonly read: PendingRead }
  | { readonly type: 'flush' }

export interface ProposalQueueState extends ProposalQueueInput {
  flushing: boolean
}

export const proposalQueue = hot<ProposalQueueState, ProposalQueueEvent, ProposalQueueInput>({
  init: ({ core }) => ({ core, flushing: false }),
  on: (queue, event, { self }) => {
    if (event.type === 'flush') return flush(queue)
    const { core } = queue
    if (event.type === 'propose') core.gathered.proposals.push(event.proposal)
    else core.gathered.reads.push(event.read)
    if (queue.flushing) return
    queue.flushing = true
    core.clock.defer(() => self.send({ type: 'flush' }))
  },
})

function flush(queue: ProposalQueueState): void {
  const { core } = queue
  const { proposals, reads } = core.gathered
  core.gathered.proposals = []
  core.gathered.reads = []
  queue.flushing = false
  if (proposals.length > 0) core.send({ type: 'propose', proposals })
  if (reads.length > 0) core.send({ type: 'read', reads })
}
