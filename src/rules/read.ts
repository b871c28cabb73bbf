// When a read is safe (thesis section 6.4), of the state and of the log.

import { hasQuorum } from './quorum.ts'
import type { Configuration, LogIndex, PeerId } from './types.ts'

/**
 * A leader knows the commit index only after an entry of its own term is committed and applied: before that, entries
 * of its predecessor may be committed without its knowledge (thesis 6.4, step 1).
 */
export function mayServeReads(firstIndexOfTerm: LogIndex, appliedIndex: LogIndex): boolean {
  return appliedIndex >= firstIndexOfTerm
}

/** A round of heartbeats sent after the reads arrived, answered in this term by a quorum: still leader then. */
export interface ReadRound {
  readonly id: number
  readonly configuration: Configuration
  /** What every read of the round must see applied: the commit index when the round began. */
  readonly readIndex: LogIndex
  readonly confirmedBy: ReadonlySet<PeerId>
}

export function confirmRound(round: ReadRound, peer: PeerId): ReadRound {
  return { ...round, confirmedBy: new Set([...round.confirmedBy, peer]) }
}

export function isConfirmed(round: ReadRound, self: PeerId): boolean {
  return hasQuorum(round.configuration, (peer) => peer === self || round.confirmedBy.has(peer))
}

export type LogReadVerdict = 'read' | 'INVALID' | 'NO_MORE_LOG' | 'LOG_DELETED'

/** May the entry at `index` be handed out? Only what is applied is final; what is compacted is gone (braft read_committed_user_log). */
export function judgeLogRead(
  index: LogIndex,
  log: { readonly firstIndex: LogIndex; readonly appliedIndex: LogIndex },
): LogReadVerdict {
  if (!Number.isSafeInteger(index) || index < 1) return 'INVALID'
  if (index > log.appliedIndex) return 'NO_MORE_LOG'
  return index < log.firstIndex ? 'LOG_DELETED' : 'read'
}
