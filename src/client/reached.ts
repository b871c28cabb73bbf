// Whether a group is already as somebody wished it: how whoever lost an answer learns that nothing is left to ask for.

import type { ConfigurationInfo, MemberSpec } from '../api.ts'
import type { AdminRequest } from '../protocol/admin-verbs.ts'
import { roleOf } from '../rules/change.ts'
import { DEFAULT_PRIORITY } from '../rules/types.ts'

/** False for what is no wish about members, and while a change is under way. */
export function isReached(request: AdminRequest, configuration: ConfigurationInfo): boolean {
  if (configuration.oldPeers.length > 0 || configuration.stage !== 'none') return false
  const { peers, learners } = configuration
  switch (request.verb) {
    case 'add_peer': {
      const { peer: id, role, priority } = request
      return isAs(configuration, { id, role, priority })
    }
    case 'remove_peer':
      return roleOf(configuration, request.peer) === null
    case 'change_peers':
      return (
        request.peers.length === peers.length + learners.length &&
        request.peers.every((spec) => isAs(configuration, spec))
      )
    case 'promote':
      return peers.includes(request.peer)
    case 'demote':
      return learners.includes(request.peer)
    case 'set_priority':
      return isAs(configuration, { id: request.peer, priority: request.priority })
    default:
      return false
  }
}

function isAs(configuration: ConfigurationInfo, spec: MemberSpec): boolean {
  const { id, role, priority } = typeof spec === 'string' ? { id: spec } : spec
  const now = roleOf(configuration, id)
  if (now === null || (role ?? now) !== now) return false
  return priority === undefined || (configuration.priorities[id] ?? DEFAULT_PRIORITY) === priority
}
