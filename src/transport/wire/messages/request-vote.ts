// request_vote: a candidate asks for a vote (paper figure 2, RequestVote).

import { z } from 'zod'
import { addedLater, FLAG, IDENTITY, INDEX, MEMBER, TERM, TERM_OR_NONE } from './fields.ts'
import { layout, type Message, type MessageWith, type SentWith, SMALL_FRAME } from './message.ts'

const REQUEST = {
  term: TERM,
  lastLogIndex: INDEX,
  lastLogTerm: TERM_OR_NONE,
  /** The leader known to have given up its lease, so that voters need not wait for theirs (braft TermLeader). */
  disruptedLeader: z
    .tuple([MEMBER, TERM])
    .transform(([peer, term]) => ({ peer, term }))
    .nullable()
    .describe('null, or `[member, term]`'),
}

const ANSWER = {
  term: TERM_OR_NONE,
  granted: FLAG,
  /** The log would do, but the voter still waits for a leader's lease to end. */
  rejectedByLease: FLAG,
  /** The voter was leader when asked. */
  disrupted: FLAG,
  /** The voter's term before it looked at the request. */
  previousTerm: TERM_OR_NONE,
  /** Of the files that keep the vote. */
  identity: addedLater(IDENTITY, 0),
  /** Where the committed configuration stands by which the candidate is no member; 0: it is one, or that is not known. */
  removedIndex: addedLater(INDEX, 0),
  removedTerm: addedLater(TERM_OR_NONE, 0),
}

export type RequestVoteRequest = MessageWith<typeof REQUEST>
export type RequestVoteResponse = MessageWith<typeof ANSWER>
type SentRequestVoteResponse = SentWith<typeof ANSWER>

export const requestVote = {
  kind: 'vote',
  frame: SMALL_FRAME,
  answerFrame: SMALL_FRAME,
  request: layout(REQUEST, ({ term, lastLogIndex, lastLogTerm, disruptedLeader: leader }) => [
    term,
    lastLogIndex,
    lastLogTerm,
    leader === null ? null : [leader.peer, leader.term],
  ]),
  answer: layout(ANSWER, (answer) => [
    answer.term,
    answer.granted,
    answer.rejectedByLease,
    answer.disrupted,
    answer.previousTerm,
    answer.identity ?? 0,
    answer.removedIndex ?? 0,
    answer.removedTerm ?? 0,
  ]),
} as const satisfies Message<RequestVoteRequest, RequestVoteResponse, SentRequestVoteResponse>
