// How long the timers of a node's chart wait, by what it knows when they are armed.

import { leaderPresumedAliveMs } from '../../rules/lease.ts'
import { successionDelayMs } from '../../rules/presence.ts'
import { standAsideMs } from '../../rules/priority.ts'
import { electionDelayMs, mostSpreadMs, voteDelayMs } from '../../rules/timing.ts'
import type { NodeContext } from './node.acting.ts'
import { contactDelayMs } from './node.leader.ts'
import { leaderIsAbsent } from './node.presence.ts'
import { allSleep, isAsleep } from './node.sleep.ts'
import { snapshotTimerMs } from './node.snapshots.ts'

/** Inputs of the timers that states invoke. */
export const timers = {
  election: ({ context: { core } }: { context: NodeContext }) => ({
    name: 'election' as const,
    clock: core.clock,
    nextDelayMs: () => {
      const { configuration, tuning, heartbeatMs } = core
      if (configuration.peers.length === 0) return null
      const { lastLeader } = core.following.lease
      if (leaderIsAbsent(core)) {
        const { following, membership, group } = core
        const groupsLost = following.presence?.watchers ?? 1
        const asksAgain = following.hasStood
        following.hasStood = true
        const { isReadonly } = membership
        const successor = { self: core.id, lost: lastLeader, isReadonly, group, groupsLost, asksAgain }
        return successionDelayMs(configuration, successor, heartbeatMs, core.drawn())
      }
      if (isAsleep(core)) return null
      const alive = leaderPresumedAliveMs(core.following.lease, core.leaseTerms, core.clock.nowMs())
      const asideMs = standAsideMs(configuration, core.id, lastLeader, mostSpreadMs(tuning))
      return electionDelayMs(tuning, alive, core.drawn()) + asideMs
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
    nextDelayMs: () => (allSleep(core) ? null : contactDelayMs(core)),
  }),
}
