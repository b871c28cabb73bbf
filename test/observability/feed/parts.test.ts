// The bounds of a feed: its queue and its leases.

import { describe, expect, test } from 'vitest'
import { FeedQueue } from '../../../src/observability/feed/feed-queue.ts'
import { Leases } from '../../../src/observability/feed/leases.ts'
import { type FeedItem, MAX_LEASE_MS } from '../../../src/protocol/feed-protocol.ts'

const item = (id: string): FeedItem => ({ kind: 'gone', id, atMs: 0 })

describe('the queue', () => {
  test('numbers what it is given, and hands it out in order', () => {
    const queue = new FeedQueue({ maxItems: 10, maxBytes: 10_000 })
    for (const id of ['a', 'b', 'c']) queue.push(item(id))
    const taken = queue.take(10_000)
    expect(taken).toMatchObject({ seq: 1, dropped: 0, items: ['a', 'b', 'c'].map(item) })
    expect(JSON.parse(`[${taken?.json}]`)).toEqual(taken?.items)
    expect([queue.take(10_000), queue.next]).toEqual([null, 4])
  })

  test('drops the oldest when there are too many, and says how many', () => {
    const queue = new FeedQueue({ maxItems: 3, maxBytes: 10_000 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) queue.push(item(id))
    expect(queue.take(10_000)).toMatchObject({ seq: 3, dropped: 2, items: ['c', 'd', 'e'].map(item) })
    queue.push(item('f'))
    expect(queue.take(10_000)).toMatchObject({ seq: 6, dropped: 0 })
  })

  test('drops the oldest when they are too large together', () => {
    const bytes = JSON.stringify(item('a')).length
    const queue = new FeedQueue({ maxItems: 100, maxBytes: 2 * bytes })
    for (const id of ['a', 'b', 'c']) queue.push(item(id))
    expect(queue.take(10_000)).toMatchObject({ seq: 2, dropped: 1, items: ['b', 'c'].map(item) })
  })

  test('hands out no more than fits a message, and at least one', () => {
    const bytes = JSON.stringify(item('a')).length
    const queue = new FeedQueue({ maxItems: 100, maxBytes: 10_000 })
    for (const id of ['a', 'b', 'c', 'd']) queue.push(item(id))
    expect(queue.take(2 * bytes + 1)?.items).toHaveLength(2)
    expect(queue.take(2 * bytes)).toMatchObject({ seq: 3, items: [item('c')] })
    expect(queue.take(1)).toMatchObject({ seq: 4, items: [item('d')] })
  })

  test('leaves out a number where something was not told', () => {
    const queue = new FeedQueue({ maxItems: 100, maxBytes: 10_000 })
    queue.push(item('a'))
    queue.skip()
    queue.push(item('b'))
    queue.lost(3)
    expect(queue.take(10_000)).toMatchObject({ seq: 3, dropped: 3, items: [item('b')] })
  })
})

describe('leases', () => {
  test('hold as long as asked for, a minute at most, and end when they are not renewed', () => {
    const leases = new Leases()
    expect(leases.renew('a', 5000, false, 0)).toBe(5000)
    expect(leases.renew('b', 10 * MAX_LEASE_MS, false, 0)).toBe(MAX_LEASE_MS)
    leases.expire(4999)
    expect(leases.size).toBe(2)
    leases.expire(5000)
    expect(leases.size).toBe(1)
    leases.renew('b', 1000, false, 6000)
    leases.expire(7000)
    expect(leases.isEmpty).toBe(true)
  })

  test('are one for each viewer, who may end its own', () => {
    const leases = new Leases()
    leases.renew('a', 5000, true, 0)
    leases.renew('b', 5000, false, 0)
    expect(leases.everything).toBe(true)
    expect(leases.renew('a', 0, false, 0)).toBe(0)
    expect([leases.size, leases.everything]).toEqual([1, false])
    leases.renew('nobody', 0, false, 0)
    expect(leases.size).toBe(1)
  })

  test('of a hundred viewers are bounded, and the last one is served as long as any', () => {
    const leases = new Leases()
    for (let i = 0; i < 100; i++) leases.renew(`viewer-${i}`, 1000 + i, false, 0)
    expect(leases.size).toBeLessThanOrEqual(65)
    leases.expire(1098)
    expect(leases.size).toBe(1)
    leases.renew('viewer-99', 1000, false, 1000)
    expect(leases.size).toBeLessThanOrEqual(2)
    leases.expire(3000)
    expect(leases.isEmpty).toBe(true)
  })
})
