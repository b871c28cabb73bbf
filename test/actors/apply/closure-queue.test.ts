// What waits for entries to be applied, aligned with the log (braft ClosureQueue).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Closure, ClosureQueue } from '../../../src/actors/apply/closures.ts'

const proposal = (): Closure => ({
  kind: 'proposal',
  data: new Uint8Array(0),
  expectedTerm: undefined,
  done: () => {},
})
const start = (term: number): Closure => ({ kind: 'leaderStart', term })

describe('the closure queue', () => {
  it('gives out each closure once, in the order of the log', () => {
    const queue = new ClosureQueue()
    const [a, b] = [proposal(), proposal()]
    queue.add(1, a)
    queue.add(2, b)
    expect(queue.waiting).toBe(2)
    expect([queue.take(1), queue.take(1), queue.take(2), queue.take(2)]).toEqual([a, undefined, b, undefined])
    expect(queue.waiting).toBe(0)
  })

  it('has nothing for entries that were proposed elsewhere (FC-01)', () => {
    const queue = new ClosureQueue()
    const mine = proposal()
    queue.add(5, mine)
    expect([queue.take(3), queue.take(4), queue.take(5), queue.take(6)]).toEqual([
      undefined,
      undefined,
      mine,
      undefined,
    ])
  })

  it('keeps what is committed and gives back the rest when leadership ends', () => {
    const queue = new ClosureQueue()
    const [a, b, c] = [start(2), proposal(), proposal()]
    queue.add(4, a)
    queue.add(5, b)
    queue.add(7, c)
    expect(queue.takeAfter(4)).toEqual([b, c])
    expect(queue.waiting).toBe(0)
    expect(queue.take(4)).toBe(a)
  })

  it('gives back everything when nothing of it is committed', () => {
    const queue = new ClosureQueue()
    queue.add(4, proposal())
    expect(queue.takeAfter(0)).toHaveLength(1)
    expect(queue.takeAfter(0)).toEqual([])
  })

  it('goes on at a far later index when it is empty', () => {
    const queue = new ClosureQueue()
    queue.add(1, proposal())
    queue.take(1)
    const late = proposal()
    queue.add(1_000_000_000, late)
    expect(queue.take(1_000_000_000)).toBe(late)
  })

  it('stays aligned over many thousand entries', () => {
    const queue = new ClosureQueue()
    const all = Array.from({ length: 20_000 }, (_, i) => {
      const closure = proposal()
      queue.add(i + 1, closure)
      return closure
    })
    const given = all.map((_, i) => queue.take(i + 1))
    expect(given.every((closure, i) => closure === all[i])).toBe(true)
  })

  it('counts only proposals', () => {
    const queue = new ClosureQueue()
    queue.add(1, start(1))
    expect(queue.waiting).toBe(0)
  })
})

type Step =
  | { readonly kind: 'add'; readonly gap: number; readonly proposes: boolean }
  | { readonly kind: 'take'; readonly ahead: number }
  | { readonly kind: 'takeAfter'; readonly keep: number }

it('equals a map from index to closure, over all orders of use', () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      gap: fc.integer({ min: 1, max: 3 }),
      proposes: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('take' as const), ahead: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant('takeAfter' as const), keep: fc.integer({ min: 0, max: 4 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new ClosureQueue()
      const model = new Map<number, Closure>()
      let last = 0
      let taken = 0
      for (const one of steps) {
        if (one.kind === 'add') {
          last = Math.max(last, taken) + one.gap
          const closure = one.proposes ? proposal() : start(last)
          model.set(last, closure)
          queue.add(last, closure)
        } else if (one.kind === 'take') {
          taken += one.ahead
          expect(queue.take(taken)).toBe(model.get(taken))
          for (const index of model.keys()) if (index <= taken) model.delete(index)
        } else {
          const after = taken + one.keep
          const expected = [...model].filter(([index]) => index > after).map(([, closure]) => closure)
          expect(queue.takeAfter(after)).toEqual(expected)
          for (const index of model.keys()) if (index > after) model.delete(index)
          last = Math.max(...model.keys(), after)
        }
        const proposals = [...model.values()].filter(({ kind }) => kind === 'proposal')
        expect(queue.waiting).toBe(proposals.length)
      }
    }),
    { numRuns: 500 },
  )
})
