// Assertions that stay on in production: INV-2, INV-3, INV-9, INV-12.

import { describe, expect, it } from 'vitest'
import {
  assertCommitStep,
  assertHardStateStep,
  assertTruncation,
  InvariantError,
} from '../../src/rules/invariants.ts'

const state = (term: number, votedFor: string | null) => ({ term, votedFor })

describe('term and vote', () => {
  it.each([
    ['a newer term with any vote', state(3, 'a'), state(4, 'b')],
    ['a newer term without a vote', state(3, 'a'), state(4, null)],
    ['a first vote in a term', state(3, null), state(3, 'a')],
    ['the same vote again', state(3, 'a'), state(3, 'a')],
  ])('may become %s', (_, from, to) => {
    expect(() => assertHardStateStep(from, to)).not.toThrow()
  })

  it('must not go back to an earlier term (INV-3)', () => {
    expect(() => assertHardStateStep(state(3, null), state(2, null))).toThrow(
      /"monotone term".*term 3 would become 2/,
    )
  })

  it('must not change the vote of a term, nor take it back (INV-2)', () => {
    expect(() => assertHardStateStep(state(3, 'a'), state(3, 'b'))).toThrow(
      /"one vote per term".*for a.*for b/,
    )
    expect(() => assertHardStateStep(state(3, 'a'), state(3, null))).toThrow(/nobody/)
  })
})

describe('the commit index', () => {
  it('may stay or grow as far as the log reaches', () => {
    expect(() => assertCommitStep(4, 4, 4)).not.toThrow()
    expect(() => assertCommitStep(4, 9, 9)).not.toThrow()
  })

  it('must not decrease (INV-9)', () => {
    expect(() => assertCommitStep(4, 3, 9)).toThrow(/"monotone commit"/)
  })

  it('must not pass the end of the log (INV-9)', () => {
    expect(() => assertCommitStep(4, 10, 9)).toThrow(/"commit within the log"/)
  })
})

describe('a truncation', () => {
  it('may keep just what is committed', () => {
    expect(() => assertTruncation(4, 4)).not.toThrow()
  })

  it('must not remove committed entries (INV-12)', () => {
    expect(() => assertTruncation(3, 4)).toThrow(/"no truncation below commit"/)
  })
})

it('a violation names the invariant and tells what to do', () => {
  const error = new InvariantError('some rule', 'the evidence')
  expect(error.invariant).toBe('some rule')
  expect(error.message).toBe(
    'Invariant "some rule" is broken: the evidence. The node stops; keep its data directory for analysis.',
  )
})
