// How a broken promise is reported: which one, in a sentence, with what was seen.

import type { InvariantName } from './promises.ts'

export type Evidence = Readonly<Record<string, unknown>>

export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
  readonly invariant: InvariantName
  /** One sentence: who did what against which rule. */
  readonly sentence: string
  readonly evidence: Evidence
  constructor(invariant: InvariantName, sentence: string, evidence: Evidence = {}) {
    super(`${invariant}: ${sentence}`)
    this.invariant = invariant
    this.sentence = sentence
    this.evidence = evidence
  }
}
