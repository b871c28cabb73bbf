import { expect, it } from 'vitest'
import { DEFAULT_LINK, LinkTable } from '../../../src/simulation/bus/link.ts'

it('a look at a link changes nothing: what waits goes on in the same order', () => {
  const table = new LinkTable<string>(1, DEFAULT_LINK)
  expect(table.isBlocked('B', 'A')).toBe(false)
  table.get('A', 'B').park('from A')
  table.get('B', 'A').park('from B')
  table.get('B', 'A').blocks = 1
  expect([table.isBlocked('A', 'B'), table.isBlocked('B', 'A')]).toEqual([false, true])
  expect(table.heal()).toEqual(['from A', 'from B'])
  expect(table.isBlocked('B', 'A')).toBe(false)
})
