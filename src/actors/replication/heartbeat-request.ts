// What a heartbeat says; read rounds send the same.

import type { Term } from '../../rules/types.ts'
import type { AppendEntriesRequest } from '../../transport/wire/messages/registry.ts'
import type { PeerProgress } from './peer-progress.ts'
import type { ReplicationWorld } from './replication-world.ts'

/**
 * A heartbeat names the position that this follower is known to share, so it always matches and carries the commit
 * index as far as that; (0, 0) when the position is unknown or compacted (trap T33).
 */
export function heartbeatRequest(
  { log, commitIndex }: Pick<ReplicationWorld, 'log' | 'commitIndex'>,
  progress: PeerProgress,
  term: Term,
): AppendEntriesRequest {
  const prevLogTerm = log.termAt(progress.matchIndex)
  const prevLogIndex = prevLogTerm === 0 ? 0 : progress.matchIndex
  return { term, prevLogIndex, prevLogTerm, committedIndex: commitIndex, entries: [] }
}
