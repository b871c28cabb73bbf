// The proposal queue: gathers what is proposed (and read) in one turn, so that the node sees one event for all of it
// (braft ApplyQueue).

import { passes } from '../../runtime/trace-points.ts'
import { hot } from '../hot.ts'
import type { IntakeWorld } from './intake.ts'

export interface ProposalQueueInput {
  readonly core: IntakeWorld
}

/** `gathered`: the first command or read of a turn lies in the intake. `flush`: the turn is over. */
export type ProposalQueueEvent = { readonly type: 'gathered' } | { readonly type: 'flush' }

export const proposalQueue = hot<IntakeWorld, ProposalQueueEvent, ProposalQueueInput>({
  init: ({ core }) => core,
  on: (core, event, { self }) => {
    if (event.type === 'flush') flush(core)
    else core.clock.defer(() => self.getSnapshot().status === 'active' && self.send({ type: 'flush' }))
  },
})

function flush(core: IntakeWorld): void {
  core.intake.handOver(({ proposals, reads }) => {
    if (proposals.length > 0) {
      passes('taken')
      core.send({ type: 'propose', proposals })
    }
    if (reads.length > 0) core.send({ type: 'read', reads })
  })
}
