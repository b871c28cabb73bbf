// What is counted and logged when a member takes another role, follows another leader, seeks an election, or has followers
// that lag: the words are those of metrics, events and feed.

import { silentLogger } from '../../runtime/logger.ts'
import type { Role } from '../../status.ts'
import type { NodeCore } from './node.core.ts'
import { leaderIsAbsent } from './node.presence.ts'

export function noteRole(core: NodeCore, from: Role, to: Role): void {
  const { group, term, reason, counters, logger } = core
  counters.becomes(to, reason)
  logger.info({ group, from, to, term, reason }, `Role ${from} → ${to}.`)
}

export function noteLeader({ group, term, leader, logger }: NodeCore): void {
  if (leader === null) logger.info({ group, leader, term }, 'No leader is known.')
  else logger.info({ group, leader, term }, `The leader is ${leader}.`)
}

/** A member that hears nobody asks again and again. */
export function noteAttempt(core: NodeCore, triggered: boolean): void {
  const { group, term, others, candidacy, clock, logger } = core
  if (others.length === 0 || logger === silentLogger) return
  const leftOut = candidacy.attempts.due(clock.nowMs())
  if (leftOut === null) return
  const silent = leaderIsAbsent(core) ? 'LEADER_ABSENT' : 'ELECTION_TIMEOUT'
  const reason = triggered ? 'TRIGGERED' : silent
  logger.info(
    { group, term, asked: others, reason, leftOut },
    'The others are asked whether they would vote for this member.',
  )
}

/** At check-quorum. */
export function watchLag(core: NodeCore): void {
  core.office?.lag.look(core, core.office.followers)
}
