// Sleeping: an idle group whose followers have everything says nothing any more, while the processes of its members are in touch
// (rules/quiescence.ts). A follower takes the word of its leader's process for its leader's; a leader rests when all sleep.

import {
  isSettled,
  mayFallAsleep,
  type Sleeper,
  type SleepTerms,
  sleepIntervalMs,
  sleepsOn,
} from '../../rules/quiescence.ts'
import type { Sleep } from '../../transport/rpc/peer-rpc.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf } from './node.events.ts'
import { isEstablished } from './node.leader.ts'

type Asked = EventOf<'sleep'>

function sleeperOf(core: NodeCore): Sleeper {
  const { leader, term, leaseTerms, log, commitIndex, snapshots, following, membership } = core
  return {
    leader,
    ...{ term, leasesOn: leaseTerms.leasesOn, commitIndex, isInstalling: snapshots.isInstalling },
    ...{ lastIndex: log.lastIndex, durableIndex: log.durableIndex },
    isUnderstood: following.saidReadonly === membership.isReadonly,
  }
}

export function mayFall(core: NodeCore, { ask }: Asked): boolean {
  const { from: leader, term, lastIndex } = ask
  return core.outbox.isOpen && mayFallAsleep(sleeperOf(core), { leader, term, lastIndex })
}

/** It is looked at with every word that its leader's process sends: one object, so that a thousand are quickly looked at. */
class FollowerSleep implements Sleep {
  readonly #core: NodeCore
  readonly #terms: Pick<SleepTerms, 'leader' | 'term'>
  readonly #isReadonly: boolean

  constructor(core: NodeCore, { ask }: Asked) {
    this.#core = core
    this.#terms = { leader: ask.from, term: ask.term }
    this.#isReadonly = core.membership.isReadonly
  }

  intervalMs(): number {
    return sleepIntervalMs(this.#core.heartbeatMs, this.#core.tuning.electionTimeoutMs)
  }

  sleepsOn(): boolean {
    const core = this.#core
    if (core.following.sleep !== this) return false
    // Whether it takes commands is said in answers to heartbeats, so a change of that has to be said.
    return core.membership.isReadonly === this.#isReadonly && sleepsOn(core, this.#terms)
  }

  roused(): void {
    if (this.#core.following.sleep === this) this.#core.send({ type: 'roused' })
  }
}

export function fallAsleep(core: NodeCore, event: Asked): void {
  const sleep = new FollowerSleep(core, event)
  const { from, vouched } = event.ask
  core.following.fallAsleep(sleep, from, vouched)
  event.ask.agree(sleep)
}

export function wakeUp({ following }: NodeCore): void {
  following.wakeUp()
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
    configuration,
    ...{ self: id, waitingReads, isTransferring: transfer !== null },
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
