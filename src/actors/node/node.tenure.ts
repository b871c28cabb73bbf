// Tells those who do something for as long as this member leads when that begins, is about to end, and ends: before anything
// leaves this member by which another could be elected.

import { leaderLeaseUntilMs } from '../../rules/lease.ts'
import { tenureFromMs } from '../../rules/tenure.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { NodeCore } from './node.core.ts'
import { isEstablished } from './node.leader.ts'
import type { Office } from './office.ts'
import type { LeadershipDoor, Tenure } from './tenure.ts'

export function tenureOf(core: NodeCore): Tenure | null {
  const { office, intake, life } = core
  if (office === null || life.gone) return null
  // With the target's campaign the votes that tenure rests on are free again.
  if (office.transfer !== null || !isEstablished(core)) return null
  const untilMs = leaderLeaseUntilMs(core.contact, core.leaseTerms, core.clock.nowMs(), office.leaseSinceMs)
  const leaving = life.yielding > 0 || intake.closing
  return {
    term: office.term,
    index: office.ballots.pendingIndex,
    fromMs: fromMs(core, office),
    untilMs,
    leaving,
  }
}

function fromMs({ id, tuning }: NodeCore, { term, sinceMs, leaderBefore, followers }: Office): number {
  const { electionTimeoutMs, maxClockDriftMs, leaderLease: leasesOn } = tuning
  const answered = leaderBefore !== null && followers.get(leaderBefore)?.progress.contacted === true
  const isSettled = leaderBefore === id || answered
  return tenureFromMs({ term, sinceMs, isSettled, electionTimeoutMs, maxClockDriftMs, leasesOn })
}

/** Asked after every step of the apply queue, and when leadership goes on after all. */
export function tenureChanged(core: NodeCore): void {
  if (core.office === null) return
  for (const holder of core.life.holders) core.shelter(() => holder.changed())
}

export function tenureLost(core: NodeCore): void {
  for (const holder of [...core.life.holders]) core.shelter(() => holder.lost())
}

/** Calls `then` once nothing relies on this leadership any more: at once when nothing does. */
export function clearTenure(core: NodeCore, then: () => void): void {
  const { holders } = core.life
  if (holders.size === 0 || core.office === null) return then()
  core.life.yielding++
  let open = holders.size
  const done = (): void => {
    open--
    if (open > 0) return
    core.life.yielding--
    then()
    // What was asked for may have been refused.
    core.clock.defer(() => tenureChanged(core))
  }
  for (const holder of [...holders]) {
    let told = false
    const once = (): void => {
      if (told) return
      told = true
      done()
    }
    core.shelter(() => holder.yields(once))
  }
}

export function leadershipDoor(core: NodeCore): LeadershipDoor {
  return {
    group: core.group,
    ...{ id: core.id, clock: core.clock },
    get electionTimeoutMs() {
      return core.tuning.electionTimeoutMs
    },
    get heartbeatMs() {
      return core.heartbeatMs
    },
    get leasesOn() {
      return core.tuning.leaderLease
    },
    tenure: () => tenureOf(core),
    hold(holder) {
      core.life.holders.add(holder)
      return () => core.life.holders.delete(holder)
    },
    report: (during, thrown) =>
      core.logger.error(
        { group: core.group, during, error: messageOf(thrown) },
        'Code around a copy on the leader threw.',
      ),
  }
}
