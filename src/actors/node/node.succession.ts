// A leader that leaves tells the best follower to campaign at once (braft NodeImpl::step_down, wakeup_a_candidate).

import { chooseSuccessor } from '../../rules/succession.ts'
import type { NodeCore } from './node.core.ts'
import type { Office } from './office.ts'

/** Sends TimeoutNow to the successor, if there is one; `farewell.said` follows when it has answered or has not. */
export function succeed(core: NodeCore, office: Office): void {
  const followers = [...office.followers.values()]
    .map(({ progress }) => progress)
    .filter(({ peer, identity, isMisplaced }) => core.counts(peer, identity) && !isMisplaced)
  const successor = chooseSuccessor(core.configuration, followers, core.drawn())
  const said = (): void => core.send({ type: 'farewell.said' })
  core.life.farewell = successor !== null
  if (successor === null) return
  core.logger.info({ group: core.group, term: core.term, successor }, 'Handing over leadership.')
  const request = { term: core.term, oldLeaderSteppedDown: true }
  core.call(successor, 'timeout_now', request, core.tuning.electionTimeoutMs, said)
}
