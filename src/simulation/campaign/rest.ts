// When a calm core has come to rest.

import type { NodeStatus } from '../../status.ts'

interface Resting {
  status(): Pick<NodeStatus, 'appliedIndex' | 'lastIndex' | 'stateHash' | 'membership' | 'pendingProposals'>
}

/** Everybody has applied all there is, nothing is pending, and the states are equal. */
export function areAtRest(members: readonly Resting[]): boolean {
  const all = members.map((member) => member.status())
  const [first = all[0]] = all.filter(({ membership }) => membership !== 'witness')
  if (first === undefined || first.appliedIndex !== first.lastIndex || first.pendingProposals > 0)
    return false
  // What a witness has is no state.
  return all.every(
    ({ appliedIndex, stateHash, membership, pendingProposals }) =>
      appliedIndex === first.appliedIndex &&
      pendingProposals === 0 &&
      (membership === 'witness' || stateHash === first.stateHash),
  )
}
