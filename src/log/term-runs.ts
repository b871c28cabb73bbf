// Terms of a whole log in a few numbers: terms never decrease along a log, so runs describe it.

import type { LogIndex, Term } from '../rules/types.ts'
import type { TermRun } from '../storage/storage.ts'

export class TermRuns {
  #runs: TermRun[]

  constructor(runs: readonly TermRun[] = []) {
    this.#runs = [...runs]
  }

  /** Notes that from `index` on, entries are of `term`. Indexes come in ascending order. */
  extend(index: LogIndex, term: Term): void {
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ firstIndex: index, term })
  }

  truncateSuffix(lastKept: LogIndex): void {
    while ((this.#runs.at(-1)?.firstIndex ?? 0) > lastKept) this.#runs.pop()
  }

  truncatePrefix(firstKept: LogIndex): void {
    while (this.#runs.length > 1 && (this.#runs[1]?.firstIndex ?? 0) <= firstKept) this.#runs.shift()
    const [head] = this.#runs
    if (head !== undefined && head.firstIndex < firstKept) this.#runs[0] = { ...head, firstIndex: firstKept }
  }

  clear(): void {
    this.#runs = []
  }

  /** Term at an index that is known to be in the log; 0 before the first run. */
  at(index: LogIndex): Term {
    return this.#runAt(index)?.term ?? 0
  }

  /** Where the run begins that `index` lies in; 0 before the first run. */
  startAt(index: LogIndex): LogIndex {
    return this.#runAt(index)?.firstIndex ?? 0
  }

  /** The last index up to `limit` (which is in the log) whose term is at most `term`; 0 when there is none. */
  lastAtMost(term: Term, limit: LogIndex): LogIndex {
    const above = this.#countWhile((run) => run.term <= term)
    if (above === 0) return 0
    const end = (this.#runs[above]?.firstIndex ?? limit + 1) - 1
    const found = Math.min(limit, end)
    return found < (this.#runs[0]?.firstIndex ?? 0) ? 0 : found
  }

  #runAt(index: LogIndex): TermRun | undefined {
    // Nearly every question is about the end of the log.
    const newest = this.#runs.at(-1)
    if (newest !== undefined && newest.firstIndex <= index) return newest
    return this.#runs[this.#countWhile((run) => run.firstIndex <= index) - 1]
  }

  /** How many runs, from the front, `holds` is true for. Runs ascend in index and term. */
  #countWhile(holds: (run: TermRun) => boolean): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >> 1
      const run = this.#runs[middle]
      if (run !== undefined && holds(run)) low = middle + 1
      else high = middle
    }
    return low
  }
}
