// read_index: a follower asks its leader for a safe read position (thesis section 6.4).

import { INDEX, TERM, TERM_OR_NONE } from './fields.ts'
import { layout, type Message, type MessageWith, SMALL_FRAME } from './message.ts'

const REQUEST = {
  term: TERM,
}

const ANSWER = {
  term: TERM_OR_NONE,
  index: INDEX,
}

export type ReadIndexRequest = MessageWith<typeof REQUEST>
export type ReadIndexResponse = MessageWith<typeof ANSWER>

export const readIndex = {
  kind: 'readIndex',
  frame: SMALL_FRAME,
  answerFrame: SMALL_FRAME,
  request: layout(REQUEST, ({ term }) => [term]),
  answer: layout(ANSWER, ({ term, index }) => [term, index]),
} as const satisfies Message<ReadIndexRequest, ReadIndexResponse>
