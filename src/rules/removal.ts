// How a member learns that it was removed while nobody could tell it: it asks for votes, and those who know say so.

import { roleOf } from './change.ts'
import { isStable } from './quorum.ts'
import {
  type ConfigurationEntry,
  compareLogIds,
  type LogId,
  type LogIndex,
  NOTHING,
  type PeerId,
} from './types.ts'

export interface Knowing {
  /** In force on the member that is asked. */
  readonly configuration: ConfigurationEntry
  readonly commitIndex: LogIndex
  /** Whom it sends the log besides, to be added. */
  readonly adding: readonly PeerId[]
}

/**
 * Where the configuration stands by which `candidate` is no member; (0, 0): none says so. Only a committed one counts, for
 * another may yet be dropped, and none under way.
 */
export function removalOf({ configuration, commitIndex, adding }: Knowing, candidate: PeerId): LogId {
  const { id } = configuration
  const isSettled = id.index > 0 && id.index <= commitIndex && isStable(configuration)
  if (!isSettled || configuration.peers.length === 0 || adding.includes(candidate)) return NOTHING
  return roleOf(configuration, candidate) === null ? id : NOTHING
}

/**
 * Is that news to a member whose own configuration stands at `own`? A later one, of a later leader or further on in the log of
 * the same, is what holds; whoever has been added again since has been sent it.
 */
export function isRemovedBy(told: LogId, own: LogId): boolean {
  return compareLogIds(told, own) > 0
}
