// Meeting another member's term: who is stale, who must step down (paper section 5.1, braft check_step_down).

import type { PeerId, Term } from './types.ts'

export type ActiveRole = 'follower' | 'candidate' | 'leader'

/** What a member is in its current term, and whom it knows to lead in it. */
export interface RoleInTerm {
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

export function judgeSender(self: RoleInTerm, from: PeerId, term: Term): SenderVerdict {
  if (term < self.term) return 'stale'
  if (term > self.term) return 'new'
  if (self.role !== 'follower' || self.leader === null) return 'new'
  return self.leader === from ? 'known' : 'conflict'
}

/** Any answer with a higher term deposes (paper figure 2, "rules for all servers"). */
export function deposes(own: Term, seen: Term): boolean {
  return seen > own
}

/** Terms left to a member that believed a message when it knew nothing yet: 4 billion elections. */
const RESERVE = 2 ** 32
/** The most terms that one message may move a member on by: at an election per second, 136 years. */
const LARGEST_STEP = 2 ** 32
/** And the largest part of the terms that are left. */
const SMALLEST_PART = 2 ** 20
/** Near the end honest members must still be able to follow each other. */
const ALWAYS_ALLOWED_STEP = 1024

/**
 * Whether a message may name this term. Terms are never taken back, so one damaged or forged message with the last of
 * them would end a group for good. Believed is a step that elections could have made, and never more than a millionth of
 * the terms that are left: it takes more than a million such messages to use them up.
 *
 * A member that has never been in a term, new or wiped, has nothing to compare with and believes whatever leaves
 * enough terms to go on with. If it was lied to, the others don't believe *it*, and wiping it again mends it.
 */
export function isPlausibleTerm(own: Term, seen: Term): boolean {
  const left = Number.MAX_SAFE_INTEGER - own
  const step = seen - own
  if (own <= 1) return step <= left - RESERVE
  return step <= Math.max(ALWAYS_ALLOWED_STEP, Math.min(LARGEST_STEP, Math.floor(left / SMALLEST_PART)))
}
