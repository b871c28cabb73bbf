// Queries that wait for their index: in order of index, in order of arrival among equals, and cheap however many wait.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueryQueue } from '../../../src/actors/apply/queries.ts'

const query = (index: number, name: unknown) => ({ index, query: name, done: () => {} })

describe('the queue of queries', () => {
  it('gives out what is due, by index and then by arrival', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), fc.nat(22), (indexes, applied) => {
        const queue = new QueryQueue()
        for (const [order, index] of indexes.entries()) queue.add(query(index, order))
        const taken: unknown[] = []
        for (let next = queue.takeDue(applied); next !== null; next = queue.takeDue(applied))
          taken.push(next.query)
        const expected = indexes
          .map((index, order) => ({ index, order }))
          .filter(({ index }) => index <= applied)
          .sort((a, b) => a.index - b.index || a.order - b.order)
          .map(({ order }) => order)
        expect(taken).toEqual(expected)
        expect(queue.size).toBe(indexes.length - expected.length)
      }),
    )
  })

  it.each([
    [4, false],
    [5, true],
    [6, true],
  ])('a query for index 5 with %i applied: due %s', (applied, isDue) => {
    const queue = new QueryQueue()
    queue.add(query(5, 'q'))
    expect(queue.isDue(applied)).toBe(isDue)
    expect(queue.takeDue(applied) !== null).toBe(isDue)
  })

  it('looks at few of those that wait when one more comes', () => {
    const queue = new QueryQueue()
    let looked = 0
    const counted = (index: number) => ({
      query: null,
      done: () => {},
      get index() {
        looked++
        return index
      },
    })
    const many = 4096
    for (let i = 0; i < many; i++) queue.add(counted(many - i))
    looked = 0
    queue.add(counted(0))
    expect(looked).toBeLessThan(100)
    queue.takeDue(0)
    expect(looked).toBeLessThan(300)
  })
})
