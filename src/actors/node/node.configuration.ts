// The configuration in force: who votes, and who is told.

import { isStable } from '../../rules/quorum.ts'
import { NOTHING } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'

/** The newest one appended, committed or not, or what the node started with (INV-13 a; paper section 6). */
export function refreshConfiguration(core: NodeCore): void {
  const newest = core.log.configurations.newest()
  core.configuration = newest ?? { ...core.input.initialConfiguration, id: NOTHING }
  noteMembership(core)
  core.logger.info(
    { group: core.group, peers: core.configuration.peers, stable: isStable(core.configuration) },
    'Configuration in force.',
  )
}

/** A member that is none any more stays quiet; whoever looks at it is told why. */
export function noteMembership({ membership, configuration, logger, group, id }: NodeCore): void {
  if (!membership.sees(configuration, id)) return
  const { peers } = configuration
  logger.warn({ group, peers }, `Member ${id} of ${group} has been removed from it, and takes part no more.`)
}
