// The error for a result that is there and cannot be given back: what was done stays done.

import { isQuorateError, QuorateError } from '../errors.ts'
import { messageOf } from '../runtime/errors.ts'

/** What is true of an operation whose result can't be given back: a read has applied nothing. */
export type WhenLost = 'applied' | 'not-applied'

/** From what the codec said of a result. */
export function lostResult(thrown: unknown, outcome: WhenLost): QuorateError {
  const code = isQuorateError(thrown) && thrown.code === 'TOO_LARGE' ? 'TOO_LARGE' : 'STATE_MACHINE'
  const what = outcome === 'applied' ? 'The command was applied, but its result' : 'The answer to the query'
  return new QuorateError(code, `${what} cannot be given back. ${messageOf(thrown)}`, {
    outcome,
    cause: thrown,
  })
}
