// timeout_now: a leader that leaves tells its successor to campaign at once (thesis section 3.10).

import { FLAG, TERM, TERM_OR_NONE } from './fields.ts'
import { layout, type Message, type MessageWith, SMALL_FRAME } from './message.ts'

const REQUEST = {
  term: TERM,
  oldLeaderSteppedDown: FLAG,
}

const ANSWER = {
  term: TERM_OR_NONE,
  success: FLAG,
}

export type TimeoutNowRequest = MessageWith<typeof REQUEST>
export type TimeoutNowResponse = MessageWith<typeof ANSWER>

export const timeoutNow = {
  kind: 'timeoutNow',
  frame: SMALL_FRAME,
  answerFrame: SMALL_FRAME,
  request: layout(REQUEST, ({ term, oldLeaderSteppedDown }) => [term, oldLeaderSteppedDown]),
  answer: layout(ANSWER, ({ term, success }) => [term, success]),
} as const satisfies Message<TimeoutNowRequest, TimeoutNowResponse>
