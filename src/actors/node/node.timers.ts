// How long the timers of a node's chart wait, by what it knows when they are armed.

import { leaderPresumedAliveMs } from '../../rules/lease.ts'
import { standAsideMs } from '../../rules/priority.ts'
import { electionDelayMs, mostSpreadMs, voteDelayMs } from '../../rules/timing.ts'
import { contactDelayMs } from './node.leader.ts'
import type { NodeContext } from './node.setup.ts'
import { snapshotTimerMs } from './node.snapshots.ts'

/** Inputs of the timers that states invoke. */
export const timers = {
  election: ({ context: { core } }: { context: NodeContext }) => ({
    name: 'election' as const,
    clock: core.clock,
    nextDelayMs: () => {
      if (core.configuration.peers.length === 0) return null
      const alive = leaderPresumedAliveMs(core.following.lease, core.leaseTerms, core.clock.nowMs())
      const { lastLeader } = core.following.lease
      const asideMs = standAsideMs(core.configuration, core.id, lastLeader, mostSpreadMs(core.tuning))
      return electionDelayMs(core.tuning, alive, core.drawn()) + asideMs
    },
  }),
  vote: ({ context: { core } }: { context: NodeContext }) => ({
    name: 'vote' as const,
    clock: core.clock,
    nextDelayMs: () => voteDelayMs(core.tuning, core.drawn()),
  }),
  snapshot: ({ context: { core } }: { context: NodeContext }) => ({
    name: 'snapshot' as const,
    clock: core.clock,
    nextDelayMs: () => snapshotTimerMs(core),
  }),
  stepDown: ({ context: { core } }: { context: NodeContext }) => ({
    name: 'stepDown' as const,
    clock: core.clock,
    nextDelayMs: () => contactDelayMs(core),
  }),
}
