// The proposal queue: gathers what is proposed (and read) in one turn, so that the node sees one event for all of it
// (braft ApplyQueue).

import { hot } from '../hot.ts'
import type { NodeCore } from './node.core.ts'

export interface ProposalQueueInput {
  readonly core: NodeCore
}

/** `gathered`: the first command or read of a turn lies in `core.gathered`. `flush`: the turn is over. */
export type ProposalQueueEvent = { readonly type: 'gathered' } | { readonly type: 'flush' }

export const proposalQueue = hot<NodeCore, ProposalQueueEvent, ProposalQueueInput>({
  init: ({ core }) => core,
  on: (core, event, { self }) => {
    if (event.type === 'flush') flush(core)
    else core.clock.defer(() => self.send({ type: 'flush' }))
  },
})

function flush(core: NodeCore): void {
  const { proposals, reads } = core.gathered
  core.gathered.proposals = []
  core.gathered.reads = []
  if (proposals.length > 0) core.send({ type: 'propose', proposals })
  if (reads.length > 0) core.send({ type: 'read', reads })
}
