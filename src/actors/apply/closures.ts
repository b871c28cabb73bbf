// What waits for entries to be applied, aligned with the log (braft ClosureQueue).

import type { QuorateError } from '../../errors.ts'
import type { LogIndex, Term } from '../../rules/types.ts'

export type ProposalOutcome =
  | { readonly ok: true; readonly index: LogIndex; readonly term: Term; readonly result: unknown }
  | { readonly ok: false; readonly error: QuorateError }

/** A command on its way into the log. `done` is called exactly once. */
export interface Proposal {
  readonly kind: 'proposal'
  /** The encoded command. */
  readonly data: Uint8Array
  readonly expectedTerm: Term | undefined
  done(outcome: ProposalOutcome): void
}

/** The first entry of a term won here: leadership begins for the user when it is applied. */
export interface LeaderStart {
  readonly kind: 'leaderStart'
  readonly term: Term
}

export type Closure = Proposal | LeaderStart

const COMPACT_AFTER = 4096

export class ClosureQueue {
  #items: (Closure | undefined)[] = []
  #head = 0
  #firstIndex: LogIndex = 1
  #proposals = 0

  /** Proposals that wait for their result. */
  get waiting(): number {
    return this.#proposals
  }

  /** Indexes ascend; those in between have no closure. */
  add(index: LogIndex, closure: Closure): void {
    if (this.#head === this.#items.length) this.#restart(index)
    const slot = this.#head + index - this.#firstIndex
    while (this.#items.length < slot) this.#items.push(undefined)
    this.#items.push(closure)
    if (closure.kind === 'proposal') this.#proposals++
  }

  /** Takes the closure of `index` and forgets everything before it. Indexes ascend. */
  take(index: LogIndex): Closure | undefined {
    if (index < this.#firstIndex) return undefined
    while (this.#firstIndex < index && this.#head < this.#items.length) this.#shift()
    if (this.#firstIndex !== index || this.#head === this.#items.length) return undefined
    return this.#shift()
  }

  /** Takes every closure after `index`: their entries may never be committed. */
  takeAfter(index: LogIndex): Closure[] {
    const keep = Math.min(this.#items.length, Math.max(this.#head, this.#head + index + 1 - this.#firstIndex))
    const taken = this.#items.slice(keep).filter((closure) => closure !== undefined)
    this.#items.length = keep
    for (const closure of taken) if (closure.kind === 'proposal') this.#proposals--
    return taken
  }

  #shift(): Closure | undefined {
    const closure = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    this.#firstIndex++
    if (closure?.kind === 'proposal') this.#proposals--
    if (this.#head >= COMPACT_AFTER && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return closure
  }

  #restart(index: LogIndex): void {
    this.#items = []
    this.#head = 0
    this.#firstIndex = index
  }
}
