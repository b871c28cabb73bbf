// Who voted what: read off the events that ask for votes and answer them.

import type { NodeCore } from '../../actors/node/node.core.ts'
import type { FeedItemOf } from '../../protocol/feed-protocol.ts'

type Vote = Omit<FeedItemOf<'vote'>, 'kind' | 'atMs'>
type SomeEvent = Readonly<Record<string, unknown>> & { readonly type: string }

/** What a campaign of this member was answered; null: the event is no such answer. */
export function voteHeard(core: NodeCore, event: SomeEvent): Vote | null {
  const pre = event.type === 'preVote.answered'
  if (!pre && event.type !== 'vote.answered') return null
  const { from, sentTerm, response } = event
  if (typeof from !== 'string' || typeof sentTerm !== 'number') return null
  if (typeof response !== 'object' || response === null || !('granted' in response)) return null
  // A pre-vote is about the term that would be next.
  const term = pre ? sentTerm + 1 : sentTerm
  return { candidate: core.id, voter: from, term, pre, granted: response.granted === true, reason: null }
}

/** What this member answered to a candidate; null: it was not asked. */
export function voteSaid(core: NodeCore, event: SomeEvent): Vote | null {
  const pre = event.type === 'rpc.pre_vote'
  if (!pre && event.type !== 'rpc.request_vote') return null
  const { said } = core.candidacy
  if (said === null || said.message !== event.message) return null
  const { granted, reason } = said.decision
  return { candidate: said.from, voter: core.id, term: said.message.term, pre, granted, reason }
}
