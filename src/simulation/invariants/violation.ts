// How a broken promise is reported: which one, in a sentence, with what was seen.

/** Names of acceptance-scenarios.md, part 2.8. */
export type InvariantName = `INV-${number}`

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
