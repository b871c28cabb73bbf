// Sleeping: an idle group whose followers have everything says nothing any more, while the processes of its members are in touch
// (rules/quiescence.ts). A follower takes the word of its leader's process for its leader's; a leader rests when all sleep.

import { isSettled, mayFallAsleep, type Sleeper, sleepsOn } from '../../rules/quiescence.ts'
import type { Sleep } from '../../transport/rpc/peer-rpc.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf } from './node.events.ts'
import { isEstablished } from './node.leader.ts'

type Asked = EventOf<'sleep'>

function sleeperOf({ leader, term, leaseTerms, log, commitIndex, snapshots }: NodeCore): Sleeper {
  const { lastIndex, durableIndex } = log
  const isInstalling = snapshots.isInstalling
  return { leader, term, leasesOn: leaseTerms.leasesOn, lastIndex, durableIndex, commitIndex, isInstalling }
}

export function mayFall(core: NodeCore, { ask }: Asked): boolean {
  const { from: leader, term, lastIndex } = ask
  return core.outbox.isOpen && mayFallAsleep(sleeperOf(core), { leader, term, lastIndex })
}

export function fallAsleep(core: NodeCore, { ask }: Asked): void {
  const { from: leader, term } = ask
  const terms = { leader, term }
  const { isReadonly } = core.membership
  const sleep: Sleep = {
    heartbeatMs: () => core.heartbeatMs,
    // Whether it takes commands is said in answers to heartbeats, so a change of that has to be said.
    sleepsOn: () =>
      core.following.sleep === sleep && core.membership.isReadonly === isReadonly && sleepsOn(core, terms),
    heard: (atMs) => core.following.heard(leader, atMs),
    roused: () => {
      if (core.following.sleep === sleep) core.send({ type: 'roused' })
    },
  }
  core.following.sleep = sleep
  ask.agree(sleep)
}

export function wakeUp({ following }: NodeCore): void {
  following.sleep = null
}

export function isAsleep({ following }: NodeCore): boolean {
  return following.sleep?.sleepsOn() === true
}

/** Nothing goes on in this leadership that is not in its log, nor is to come that its timer would have to bring. */
export function isSettledOffice(core: NodeCore): boolean {
  const { office, configuration, id } = core
  if (office === null || !isEstablished(core)) return false
  const { transfer, waitingReads, change, followers } = office
  return isSettled({
    ...{ configuration, self: id, waitingReads, isTransferring: transfer !== null },
    isChanging: change.isRunning || change.guests.length > 0,
    followers: [...followers.values()].map(({ progress }) => progress),
  })
}

/** Every follower sleeps: contact is their processes' affair. */
export function allSleep({ office }: NodeCore): boolean {
  if (office === null || office.followers.size === 0) return false
  for (const { progress } of office.followers.values()) if (!progress.isAsleep) return false
  return true
}
