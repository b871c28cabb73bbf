// What a session promises: INV-27.

import { EntryType, type LogIndex, type PeerId } from '../../rules/types.ts'
import type { CheckerContext } from './context.ts'
import { InvariantViolation } from './violation.ts'

/** Must a state machine get to see this committed command? */
export function carriesOut({ options }: CheckerContext, index: LogIndex): boolean {
  return options.carriesOut?.(index) ?? true
}

/** The newest command up to there that a state machine got to see. */
export function lastCarriedOut(context: CheckerContext, index: LogIndex): LogIndex {
  const isSeen = (at: LogIndex): boolean =>
    (context.canon.at(at)?.type ?? EntryType.DATA) === EntryType.DATA && carriesOut(context, at)
  let at = index
  while (at > 0 && !isSeen(at)) at--
  return at
}

/** @throws InvariantViolation INV-27 when it was carried out before, or nobody can tell */
export function checkCarriedOut(context: CheckerContext, id: PeerId, index: LogIndex): void {
  if (carriesOut(context, index)) return
  const what = 'a command of a session that was carried out before, or is forgotten'
  throw new InvariantViolation('INV-27', `${id} carried out entry ${index}, ${what}.`, { index })
}
