// Whether a host should be given work, and if not, why: one line for a load balancer's log.

import type { HostFigures } from '../figures.ts'

export interface Readiness {
  readonly ready: boolean
  /** One line for a person. */
  readonly why: string
}

/** Ready: every group is carried without failure, knows its leader, and has applied nearly all that is committed. */
export function readinessOf({ nodes, busConnected }: HostFigures, maxApplyLag: number): Readiness {
  if (nodes.length === 0) return { ready: false, why: 'This host carries no group yet.' }
  for (const { status } of nodes) {
    const { group, role, leader, commitIndex, appliedIndex, error, membership } = status
    const lag = commitIndex - appliedIndex
    if (role === 'error') return not(`Group ${group} has failed here: ${error ?? 'see its log'}`)
    if (role !== 'leader' && role !== 'follower' && role !== 'candidate')
      return not(`Group ${group} is ${role} here.`)
    if (membership === 'waiting') return not(`Group ${group} has not added this member yet.`)
    if (membership === 'removed') return not(`Group ${group} has removed this member.`)
    if (leader === null) return not(`Group ${group} knows no leader here.`)
    if (lag > maxApplyLag)
      return not(`Group ${group} has ${lag} committed entries to apply (at most ${maxApplyLag}).`)
  }
  // A host whose bus is gone can't follow anybody; a group of one goes on alone.
  const needsBus = nodes.some(({ status: { peers } }) => peers.length > 1)
  if (!busConnected && needsBus) return not('The bus is not connected.')
  return { ready: true, why: 'ready' }
}

function not(why: string): Readiness {
  return { ready: false, why: why.replace(/\s+/g, ' ') }
}

/** Alive: the process answers. A member in its error state stays up on purpose: to restart it mends nothing. */
export const ALIVE = 'alive'
