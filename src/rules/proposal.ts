// May this command enter the log?

import type { Term } from './types.ts'

export type ProposalVerdict = 'accept' | 'NOT_LEADER' | 'TERM_MISMATCH'

/**
 * `expectedTerm` guards against "leader, deposed, leader again": a command queued in the first period must not slip
 * into the second (braft Task::expected_term).
 */
export function judgeProposal(leads: boolean, term: Term, expectedTerm: Term | undefined): ProposalVerdict {
  if (!leads) return 'NOT_LEADER'
  return expectedTerm === undefined || expectedTerm === term ? 'accept' : 'TERM_MISMATCH'
}
