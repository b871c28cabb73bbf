// Members that an operator has forced, against what the log says: they stay in force in memory until the log says the same, or
// a newer entry of other members overrules them; and whoever waits for either is told.

import type { QuorateErrorDetails } from '../../errors.ts'
import { isOverruled, saysTheSame } from '../../rules/disaster.ts'
import type { AskedReset, ResetOutcome } from '../membership/reset.ts'
import type { NodeCore } from './node.core.ts'

/**
 * The log has another newest configuration than it had. Returns whether what was forced stays in force nevertheless.
 *
 * @param isNews others than this member have brought it
 */
export function staysForced(core: NodeCore, isNews: boolean): boolean {
  const { configuration, log } = core
  const { reset } = core.membership
  const { forced } = reset
  if (forced === null) return false
  const newest = log.configurations.newest()?.id ?? null
  if (isNews && isOverruled(forced.since, newest)) return false
  // A snapshot of the own state stands for the entries that were known, and has a later place.
  const since = isNews || newest === null ? forced.since : newest
  reset.forced = { ...forced, since, entry: null }
  core.configuration = { ...configuration, id: since }
  return true
}

/** A configuration of the log is in force, appended here or by another leader. */
export function followLog(core: NodeCore): void {
  const { configuration, log, group, logger } = core
  const { reset } = core.membership
  const { forced } = reset
  if (forced === null) return
  // Whoever leads them may have changed them since.
  const isWritten =
    saysTheSame(configuration, forced.peers) ||
    log.configurations.all().some((it) => isOverruled(forced.since, it.id) && saysTheSame(it, forced.peers))
  reset.forced = isWritten ? { ...forced, entry: configuration.id.index } : null
  if (isWritten) return
  logger.error(
    { group, forced: forced.peers, inForce: configuration.peers },
    'A leader of other members than the forced ones lives: its configuration is in force.',
  )
  settleWaiting(core, refused(core, 'CONFLICT', 'a leader of other members lives, and was followed'))
}

/** More of the log is durable: perhaps the entry that says who the members are. */
export function settleReset(core: NodeCore): void {
  const { configuration, log, group, term, logger } = core
  const { reset } = core.membership
  const entry = reset.forced?.entry ?? null
  if (entry === null || entry > log.durableIndex) return
  reset.forced = null
  logger.warn(
    { group, term, peers: configuration.peers, index: entry },
    'The members that were forced stand in the log.',
  )
  settleWaiting(core, { ok: true, configuration })
}

export function settleWaiting(core: NodeCore, outcome: ResetOutcome): void {
  const waiting = [...core.membership.reset.waiting]
  core.membership.reset.waiting.clear()
  for (const [asked, timer] of waiting) {
    core.clock.clearTimeout(timer)
    core.shelter(() => asked(outcome))
  }
}

export function settle(core: NodeCore, asked: AskedReset, outcome: ResetOutcome): void {
  core.shelter(() => asked(outcome))
}

export function refused(
  core: NodeCore,
  code: 'INVALID' | 'BUSY' | 'CONFLICT' | 'TIMEOUT',
  why: string,
  details: QuorateErrorDetails = {},
): ResetOutcome {
  const error = core.error(code, `The members of ${core.group} were not reset: ${why}.`, details)
  return { ok: false, error }
}
