// Terms as runs, against one term per entry.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TermRuns } from '../../src/log/term-runs.ts'

/** Where runs begin, and where terms up to one end, looked up entry by entry. */
function checkBorders(runs: TermRuns, first: number, terms: readonly number[]): void {
  for (const [i, term] of terms.entries()) expect(runs.startAt(first + i)).toBe(first + terms.indexOf(term))
  const highest = (terms.at(-1) ?? 0) + 1
  for (let term = 0; term <= highest; term++) {
    for (let limit = first - 1; limit < first + terms.length; limit++) {
      const found = terms.slice(0, limit + 1 - first).findLastIndex((one) => one <= term)
      expect(runs.lastAtMost(term, limit)).toBe(found < 0 ? 0 : first + found)
    }
  }
}

describe('terms as runs', () => {
  it('answer 0 before the first run and the newest term after the last one', () => {
    const runs = new TermRuns([
      { firstIndex: 5, term: 2 },
      { firstIndex: 8, term: 3 },
    ])
    expect([4, 5, 7, 8, 99].map((index) => runs.at(index))).toEqual([0, 2, 2, 3, 3])
    expect(new TermRuns().at(1)).toBe(0)
  })

  it('do not touch what they were made of', () => {
    const given = [{ firstIndex: 1, term: 1 }]
    const runs = new TermRuns(given)
    runs.extend(2, 2)
    runs.truncateSuffix(0)
    expect(given).toEqual([{ firstIndex: 1, term: 1 }])
  })

  it('can be cleared', () => {
    const runs = new TermRuns([{ firstIndex: 1, term: 1 }])
    runs.clear()
    expect(runs.at(1)).toBe(0)
  })

  type Step =
    | { readonly grow: readonly boolean[] }
    | { readonly cut: 'front' | 'back'; readonly share: number }
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ grow: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }) }),
    fc.record({
      cut: fc.constantFrom('front' as const, 'back' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  )

  it('say the same as one term per entry, over all changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const runs = new TermRuns()
        let first = 1
        let terms: number[] = []
        let term = 1
        for (const one of steps) {
          if ('grow' in one) {
            for (const newTerm of one.grow) {
              if (newTerm) term++
              runs.extend(first + terms.length, term)
              terms.push(term)
            }
          } else {
            const count = Math.floor(one.share * terms.length)
            if (one.cut === 'front') {
              runs.truncatePrefix(first + count)
              first += count
              terms = terms.slice(count)
            } else {
              runs.truncateSuffix(first + count - 1)
              terms = terms.slice(0, count)
            }
          }
          terms.forEach((expected, i) => {
            expect(runs.at(first + i)).toBe(expected)
          })
          if (terms.length > 0) expect(runs.at(first - 1)).toBe(0)
          checkBorders(runs, first, terms)
        }
      }),
      { numRuns: 500 },
    )
  })
})
