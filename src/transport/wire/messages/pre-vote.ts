// pre_vote: "would I get your vote?" (thesis section 9.6). The fields of a vote; `term` is the current one plus 1, and
// nothing is promised by the answer.

import type { Message } from './message.ts'
import { type RequestVoteRequest, type RequestVoteResponse, requestVote } from './request-vote.ts'

export const preVote = {
  ...requestVote,
  kind: 'prevote',
} as const satisfies Message<RequestVoteRequest, RequestVoteResponse>
