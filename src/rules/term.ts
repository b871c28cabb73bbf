// Meeting another member's term: who is stale, who must step down (paper section 5.1, braft check_step_down).

import type { PeerId, Term } from './types.ts'

export type ActiveRole = 'follower' | 'candidate' | 'leader'

export interface Standing {
  readonly role: ActiveRole
  readonly term: Term
  readonly leader: PeerId | null
}

/**
 * What an AppendEntries, heartbeat or InstallSnapshot says about its sender.
 * - `stale`: of an earlier term; refuse it and tell the newer term.
 * - `new`: the leader of this or a newer term that we do not follow yet; step down, then follow.
 * - `conflict`: a second leader in our term. Cannot happen unless somebody lost a vote or forced a configuration:
 *   raise the term over both, so that both fall (braft ELEADERCONFLICT, trap T16).
 * - `known`: the leader that we follow.
 */
export type SenderVerdict = 'stale' | 'new' | 'conflict' | 'known'

export function judgeSender(self: Standing, from: PeerId, term: Term): SenderVerdict {
  if (term < self.term) return 'stale'
  if (term > self.term) return 'new'
  if (self.role !== 'follower' || self.leader === null) return 'new'
  return self.leader === from ? 'known' : 'conflict'
}

/** Any answer with a higher term deposes (paper figure 2, "rules for all servers"). */
export function deposes(own: Term, seen: Term): boolean {
  return seen > own
}
