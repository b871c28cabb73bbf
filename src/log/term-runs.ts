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
    let low = 0
    let high = this.#runs.length - 1
    // Nearly every question is about the end of the log.
    const newest = this.#runs[high]
    if (newest !== undefined && newest.firstIndex <= index) return newest.term
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#runs[middle]?.firstIndex ?? 0) <= index) low = middle
      else high = middle - 1
    }
    const run = this.#runs[low]
    return run !== undefined && run.firstIndex <= index ? run.term : 0
  }
}
