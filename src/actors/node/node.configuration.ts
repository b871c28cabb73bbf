// The configuration in force: who votes, and who is told.

import { isStable } from '../../rules/quorum.ts'
import { NOTHING } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'

/** The newest one appended, committed or not, or what the node started with (INV-13 a; paper section 6). */
export function refreshConfiguration(core: NodeCore): void {
  const newest = core.log.configurations.newest()
  core.configuration = newest ?? { ...core.input.initialConfiguration, id: NOTHING }
  core.logger.info(
    { group: core.group, peers: core.configuration.peers, stable: isStable(core.configuration) },
    'Configuration in force.',
  )
}
