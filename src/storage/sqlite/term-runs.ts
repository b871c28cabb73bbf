// Finds where terms begin without reading every entry: terms never go back along a log, so borders can be searched for.

import type { LogIndex, Term } from '../../rules/types.ts'
import type { TermRun } from '../storage.ts'

export interface TermSource {
  /** The term stored for an index, as it stands there. */
  peek(index: LogIndex): Term
  /** The same after checking the whole entry. Throws when it is damaged. */
  verified(index: LogIndex): Term
}

/**
 * The runs of equal terms from `first` to `last`. A damaged term may mislead the search, but it cannot end unnoticed:
 * the entries on both sides of every border found are verified, and between two of one term there is no other.
 * Pauses after every run, so that a log of many terms can be searched in slices. Returns the index at which terms go
 * back instead, when they do.
 */
export function* findTermRuns(
  first: LogIndex,
  last: LogIndex,
  source: TermSource,
): Generator<void, TermRun[] | LogIndex, void> {
  const runs: TermRun[] = []
  if (last < first) return runs
  const lastTerm = source.verified(last)
  let start = first
  let term = source.verified(first)
  runs.push({ firstIndex: start, term })
  while (term !== lastTerm) {
    const border = findBorder(start, last, term, source)
    source.verified(border - 1)
    const next = source.verified(border)
    if (next <= term) return border
    start = border
    term = next
    runs.push({ firstIndex: start, term })
    yield
  }
  return runs
}

/** The first index of another term after `start`; doubling steps, so that many short runs cost little each. */
function findBorder(start: LogIndex, last: LogIndex, term: Term, source: TermSource): LogIndex {
  let low = start
  let high = last
  for (let step = 1; low + step < last; step *= 2) {
    if (source.peek(low + step) !== term) {
      high = low + step
      break
    }
    low += step
  }
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2)
    if (source.peek(middle) === term) low = middle
    else high = middle
  }
  return high
}
