// A member that was down while it was removed asks for votes, and is told; then it stays quiet until a leader takes it in again.

import { isRemovedBy, removalOf } from '../../rules/removal.ts'
import type { LogId, PeerId } from '../../rules/types.ts'
import type { NodeCore } from './node.core.ts'
import type { NodeEvent } from './node.events.ts'

/** What the answer to a request for a vote says besides. */
export function removalFor(
  { configuration, commitIndex, office }: NodeCore,
  candidate: PeerId,
): { readonly removedIndex: number; readonly removedTerm: number } {
  const adding = office?.change.adding ?? []
  const { index, term } = removalOf({ configuration, commitIndex, adding }, candidate)
  return { removedIndex: index, removedTerm: term }
}

function toldBy(event: NodeEvent): LogId | null {
  if (event.type !== 'preVote.answered') return null
  const { removedIndex: index, removedTerm: term } = event.response
  return { index, term }
}

/** Members that were forced stand in no log of the others: what those say is of before. */
export function tellsOfRemoval({ configuration, membership }: NodeCore, event: NodeEvent): boolean {
  const told = toldBy(event)
  return told !== null && membership.reset.forced === null && isRemovedBy(told, configuration.id)
}

export function takeRemoval({ membership, logger, group, id }: NodeCore, event: NodeEvent): void {
  const told = toldBy(event)
  if (told === null || event.type !== 'preVote.answered') return
  membership.toldOf(told)
  logger.warn(
    { group, from: event.from, ...told },
    `Member ${id} of ${group} was removed from it while it was away, says ${event.from}: it asks for no more votes.`,
  )
}
