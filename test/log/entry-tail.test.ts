// The end of the log in memory: slicing, truncating, forgetting from the front.

import { describe, expect, it } from 'vitest'
import { EntryTail } from '../../src/log/entry-tail.ts'
import { dataEntries, dataEntry } from './support/entries.ts'

const NO_LIMIT = Number.MAX_SAFE_INTEGER

function tailOf(from: number, count: number, bytes = 10): EntryTail {
  const tail = new EntryTail(from)
  for (const entry of dataEntries(from, count, 1, bytes)) tail.push(entry)
  return tail
}
const indexes = (tail: EntryTail, from: number) =>
  tail.slice(from, NO_LIMIT, NO_LIMIT).map(({ index }) => index)

it('an empty tail begins just after the log', () => {
  const tail = new EntryTail(8)
  expect([tail.firstIndex, tail.bytes]).toEqual([8, 0])
  expect(tail.get(8)).toBeUndefined()
  expect(tail.get(7)).toBeUndefined()
})

it('finds what was pushed, and nothing before or after', () => {
  const tail = tailOf(5, 3)
  expect([4, 5, 7, 8].map((index) => tail.get(index)?.index)).toEqual([undefined, 5, 7, undefined])
  expect(tail.bytes).toBe(30)
})

describe('forgetting from the front', () => {
  it('stops at the limit of bytes', () => {
    const tail = tailOf(1, 5)
    tail.trim(5, 25)
    expect([tail.firstIndex, tail.bytes]).toEqual([4, 20])
    expect(indexes(tail, 4)).toEqual([4, 5])
  })

  it('never goes beyond what may be dropped', () => {
    const tail = tailOf(1, 5)
    tail.trim(2, 0)
    expect([tail.firstIndex, tail.bytes]).toEqual([3, 30])
  })

  it('can empty the tail, which goes on after it', () => {
    const tail = tailOf(1, 5)
    tail.trim(99, 0)
    expect([tail.firstIndex, tail.bytes]).toEqual([6, 0])
    tail.push(dataEntry(6, 2))
    expect(indexes(tail, 6)).toEqual([6])
  })

  it('does not grow for ever: emptied slots are packed, and nothing moves for the reader', () => {
    const tail = tailOf(1, 20_000)
    for (const dropped of [100, 5000, 5001, 12_000, 19_990]) {
      tail.trim(dropped, 0)
      expect(tail.firstIndex).toBe(dropped + 1)
      expect(tail.get(dropped)).toBeUndefined()
      expect(tail.get(dropped + 1)?.index).toBe(dropped + 1)
      expect(tail.slice(dropped + 2, 2, NO_LIMIT).map(({ index }) => index)).toEqual([
        dropped + 2,
        dropped + 3,
      ])
    }
    expect(tail.bytes).toBe(100)
  })
})

describe('truncating', () => {
  it('removes the end', () => {
    const tail = tailOf(1, 5)
    tail.truncateSuffix(3)
    expect([indexes(tail, 1), tail.bytes]).toEqual([[1, 2, 3], 30])
  })

  it('at the end changes nothing', () => {
    const tail = tailOf(1, 5)
    tail.truncateSuffix(5)
    expect([indexes(tail, 1), tail.bytes]).toEqual([[1, 2, 3, 4, 5], 50])
  })

  it('just before the tail leaves it empty in its place', () => {
    const tail = tailOf(1, 5)
    tail.trim(2, 0)
    tail.truncateSuffix(2)
    expect([tail.firstIndex, tail.bytes]).toEqual([3, 0])
    tail.push(dataEntry(3, 2))
    expect(indexes(tail, 3)).toEqual([3])
  })

  it('before the tail lets it begin anew there', () => {
    const tail = tailOf(10, 5)
    tail.truncateSuffix(4)
    expect([tail.firstIndex, tail.bytes]).toEqual([5, 0])
    tail.push(dataEntry(5, 2))
    expect(indexes(tail, 5)).toEqual([5])
  })
})

it('a slice stays within its bytes even behind an entry without any', () => {
  const tail = new EntryTail(1)
  tail.push(dataEntry(1, 1, 0))
  tail.push(dataEntry(2, 1, 50))
  expect(tail.slice(1, 9, 10).map(({ index }) => index)).toEqual([1])
})
