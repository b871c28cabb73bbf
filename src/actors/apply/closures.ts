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

/** Calls the completion as `sheltered` does, without a function made for each: there are many. */
export function settleProposal(
  proposal: Proposal,
  outcome: ProposalOutcome,
  threw: (thrown: unknown) => void,
): void {
  try {
    proposal.done(outcome)
  } catch (thrown) {
    threw(thrown)
  }
}

/** The first entry of a term won here: leadership begins for the user when it is applied. */
export interface LeaderStart {
  readonly kind: 'leaderStart'
  readonly term: Term
}

export type Closure = Proposal | LeaderStart

const COMPACT_AFTER = 4096

export class ClosureQueue {
  /** Side by side: the index, and what waits for it. No slot for indexes nobody waits for. */
  #indexes: LogIndex[] = []
  #items: (Closure | undefined)[] = []
  #head = 0
  #proposals = 0

  /** Proposals that wait for their result. */
  get waiting(): number {
    return this.#proposals
  }

  /** Indexes ascend; those in between have no closure. */
  add(index: LogIndex, closure: Closure): void {
    this.#indexes.push(index)
    this.#items.push(closure)
    if (closure.kind === 'proposal') this.#proposals++
  }

  /** Takes the closure of `index` and forgets everything before it. Indexes ascend. */
  take(index: LogIndex): Closure | undefined {
    while ((this.#indexes[this.#head] ?? Number.POSITIVE_INFINITY) < index) this.#shift()
    return this.#indexes[this.#head] === index ? this.#shift() : undefined
  }

  /** Takes every closure up to `index`, in order. */
  takeUpTo(index: LogIndex): Closure[] {
    const taken: Closure[] = []
    while ((this.#indexes[this.#head] ?? Number.POSITIVE_INFINITY) <= index) {
      const closure = this.#shift()
      if (closure !== undefined) taken.push(closure)
    }
    return taken
  }

  /** Takes every closure after `index`: their entries may never be committed. */
  takeAfter(index: LogIndex): Closure[] {
    let keep = this.#indexes.length
    while (keep > this.#head && (this.#indexes[keep - 1] ?? 0) > index) keep--
    const taken = this.#items.slice(keep).filter((closure) => closure !== undefined)
    this.#items.length = keep
    this.#indexes.length = keep
    for (const closure of taken) if (closure.kind === 'proposal') this.#proposals--
    return taken
  }

  #shift(): Closure | undefined {
    const closure = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (closure?.kind === 'proposal') this.#proposals--
    if (this.#head >= COMPACT_AFTER && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#indexes = this.#indexes.slice(this.#head)
      this.#head = 0
    }
    return closure
  }
}
