// May a command enter the log? (braft NodeImpl::apply)

import { expect, it } from 'vitest'
import { judgeProposal } from '../../src/rules/proposal.ts'

it.each([
  ['a leader takes a command that expects nothing', true, 5, undefined, 'accept'],
  ['a leader takes a command that expects its term', true, 5, 5, 'accept'],
  ['a leader refuses a command meant for an earlier leadership', true, 5, 3, 'TERM_MISMATCH'],
  ['a leader refuses a command meant for a later one', true, 5, 6, 'TERM_MISMATCH'],
  ['who does not lead takes nothing', false, 5, undefined, 'NOT_LEADER'],
  ['who does not lead takes nothing, even in the expected term', false, 5, 5, 'NOT_LEADER'],
  ['term 0 is a term like any other', true, 5, 0, 'TERM_MISMATCH'],
])('%s', (_, leads, term, expectedTerm, verdict) => {
  expect(judgeProposal(leads, term, expectedTerm)).toBe(verdict)
})
