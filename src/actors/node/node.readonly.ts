// Read-only mode on this member: the rule is in rules/readonly.ts.

import { takesCommands } from '../../rules/readonly.ts'
import type { PeerId } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'

/** Whether this leader may append commands now. */
export function mayAppendCommands(core: NodeCore): boolean {
  const isReadonly = (peer: PeerId): boolean =>
    peer === core.id
      ? core.membership.isReadonly
      : core.office?.followers.get(peer)?.progress.isReadonly === true
  return takesCommands(core.configuration, core.id, isReadonly)
}
