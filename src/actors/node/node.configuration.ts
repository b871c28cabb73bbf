// The configuration in force: who votes, and who is told.

import { standsBy } from '../../rules/election.ts'
import { isStable } from '../../rules/quorum.ts'
import { type Configuration, EMPTY_CONFIGURATION, NOTHING } from '../../rules/types.ts'
import type { NewsKind } from './bulletin.ts'
import type { NodeCore } from './node.core.ts'
import { followLog, staysForced } from './node.forced.ts'

/**
 * The newest one appended, committed or not, or what the node started with (INV-13 a; paper section 6); but for members that
 * were forced, and of which the log knows nothing yet. `isNews`: others than this member have brought what is new.
 */
export function refreshConfiguration(core: NodeCore, isNews = true): void {
  if (staysForced(core, isNews)) return
  const newest = core.log.configurations.newest()
  core.configuration = newest ?? { ...core.input.initialConfiguration, id: NOTHING }
  noteMembership(core)
  followLog(core)
  core.logger.info(
    { group: core.group, peers: core.configuration.peers, stable: isStable(core.configuration) },
    'Configuration in force.',
  )
}

/** The configuration by which this member may stand for election; one that names nobody when there is none. */
export function candidature({ log, configuration, commitIndex, id, membership }: NodeCore): Configuration {
  if (membership.isToldRemoved(configuration)) return EMPTY_CONFIGURATION
  // What was given at start, or forced, stands in no log.
  const isInLog = configuration.id.index > 0 && membership.reset.forced === null
  const known = !isInLog ? [configuration] : log.configurations.since(commitIndex)
  return standsBy(known, id) ?? EMPTY_CONFIGURATION
}

/** Listeners hear of it. A member that is none any more stays quiet; whoever looks at it is told why. */
export function noteMembership(core: NodeCore): void {
  const { membership, configuration, logger, group, id } = core
  if (core.life.bulletin.sees(configuration)) tellNews(core, 'membership')
  if (!membership.sees(configuration, id)) return
  const { peers } = configuration
  logger.warn({ group, peers }, `Member ${id} of ${group} has been removed from it, and takes part no more.`)
}

/** After this turn: listeners are strangers, and may ask for anything. */
export function tellNews(core: NodeCore, kind: NewsKind): void {
  const { bulletin } = core.life
  if (!bulletin.tell(kind)) return
  core.clock.defer(() => {
    for (const tell of bulletin.take(kind)) if (!core.gone) core.shelter(tell)
  })
}
