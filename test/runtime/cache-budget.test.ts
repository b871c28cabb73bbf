// Caches of one process share one budget; what has not been used for longest goes first.

import { describe, expect, it } from 'vitest'
import { CacheBudget } from '../../src/runtime/cache-budget.ts'

/** Keepers that can let go of all but `fixed` bytes. */
function keepersOf(budget: CacheBudget, count: number, fixed = 0) {
  return Array.from({ length: count }, () => {
    const keeper = { held: 0, asked: 0 }
    const share = budget.join((maxBytes) => {
      keeper.asked++
      keeper.held = Math.min(keeper.held, Math.max(fixed, maxBytes))
      return keeper.held
    })
    const keep = (bytes: number): void => {
      keeper.held = bytes
      share.holds(bytes)
    }
    return { keeper, share, keep }
  })
}
const held = (keepers: readonly { keeper: { held: number } }[]) => keepers.map(({ keeper }) => keeper.held)

describe('a cache budget', () => {
  it('asks nobody while there is room', () => {
    const budget = new CacheBudget(100)
    const keepers = keepersOf(budget, 2)
    keepers[0]?.keep(60)
    keepers[1]?.keep(40)
    expect([held(keepers), budget.bytes]).toEqual([[60, 40], 100])
    expect(keepers.map(({ keeper }) => keeper.asked)).toEqual([0, 0])
  })

  it('takes from who has not used its part for longest, and no more than is needed', () => {
    const budget = new CacheBudget(100)
    const keepers = keepersOf(budget, 3)
    for (const { keep } of keepers) keep(30)
    keepers[0]?.keep(30)
    keepers[2]?.keep(45)
    expect([held(keepers), budget.bytes]).toEqual([[30, 25, 45], 100])
    keepers[2]?.keep(80)
    expect([held(keepers), budget.bytes]).toEqual([[20, 0, 80], 100])
  })

  it('takes from a single keeper what is too much', () => {
    const budget = new CacheBudget(100)
    const [only] = keepersOf(budget, 1)
    only?.keep(150)
    expect(only?.keeper.held).toBe(100)
  })

  it('goes on to the next when one cannot let go of all, and is content when none can', () => {
    const budget = new CacheBudget(100)
    const [stuck, other, third] = [
      ...keepersOf(budget, 1, 80),
      ...keepersOf(budget, 1),
      ...keepersOf(budget, 1, 90),
    ]
    stuck?.keep(80)
    other?.keep(20)
    third?.keep(90)
    expect([stuck?.keeper.held, other?.keeper.held, third?.keeper.held, budget.bytes]).toEqual([
      80, 0, 90, 170,
    ])
  })

  it('has the part of one that leaves for others', () => {
    const budget = new CacheBudget(100)
    const keepers = keepersOf(budget, 2)
    keepers[0]?.keep(100)
    keepers[0]?.share.leave()
    keepers[1]?.keep(100)
    expect(keepers[1]?.keeper.held).toBe(100)
    keepers[0]?.keep(100)
    expect(budget.bytes).toBe(100)
  })
})
