// How much goes into one transaction: bounded by bytes and rows, whatever is asked for in one turn.

import { expect, test } from 'vitest'
import { EntryType, type LogEntry } from '../../src/rules/types.ts'
import type { DiskRequest } from '../../src/storage/sqlite/messages.ts'
import {
  type AppendRun,
  MAX_WEIGHT,
  OperationPacker,
  ROW_WEIGHT,
  unpackOperations,
} from '../../src/storage/sqlite/operations.ts'
import { RequestQueue } from '../../src/storage/sqlite/request-queue.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { openStore, readAll, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage } from './support.ts'

function sized(first: number, sizes: readonly number[], term = 1): LogEntry[] {
  return sizes.map((bytes, position) => ({
    index: first + position,
    term,
    type: EntryType.DATA,
    data: new Uint8Array(bytes).fill(first + position),
  }))
}

function runsOf(buffer: ArrayBuffer, byteLength: number): AppendRun[] {
  return [...unpackOperations(buffer, byteLength)].filter((operation) => operation.kind === 'append')
}

/** What an append of one entry weighs beside its data. */
const OVERHEAD = 1 + 4 + 8 + 8 + 1 + 4 + 4 + 4 + ROW_WEIGHT

test.each([
  ['one byte below its limit', MAX_WEIGHT - OVERHEAD - 1, false],
  ['exactly at its limit', MAX_WEIGHT - OVERHEAD, true],
  ['one byte above its limit', MAX_WEIGHT - OVERHEAD + 1, true],
])('a packer %s', (_where, bytes, full) => {
  const packer = new OperationPacker(new ArrayBuffer(16))
  expect(packer.append(1, sized(1, [bytes]), 0)).toBe(1)
  expect(packer.isFull).toBe(full)
})

test('many small entries fill a packer by their number', () => {
  const packer = new OperationPacker(new ArrayBuffer(16))
  const entries = sized(1, new Array(40_000).fill(0))
  const stopped = packer.append(1, entries, 0)
  expect(stopped).toBeLessThanOrEqual(MAX_WEIGHT / ROW_WEIGHT)
  expect(stopped).toBeGreaterThan((0.9 * MAX_WEIGHT) / ROW_WEIGHT)
  expect(packer.isFull).toBe(true)
  expect(runsOf(packer.buffer, packer.byteLength)).toMatchObject([
    { firstIndex: 1, count: stopped, dataBytes: 0 },
  ])
})

test('a packer takes one entry whatever its size, and goes on where it stopped', () => {
  const entries = sized(1, [2 * MAX_WEIGHT, 10, 2 * MAX_WEIGHT])
  const first = new OperationPacker(new ArrayBuffer(16))
  expect(first.append(1, entries, 0)).toBe(1)
  const second = new OperationPacker(new ArrayBuffer(16))
  expect(second.append(1, entries, 1)).toBe(3)
  expect(runsOf(second.buffer, second.byteLength)).toMatchObject([{ firstIndex: 2, count: 2 }])
})

/** A disk thread in the hand: sees requests, answers when told to. */
class Thread {
  readonly requests: (DiskRequest & { kind: 'write' })[] = []
  readonly queue = new RequestQueue((request) => {
    if (request.kind === 'write') this.requests.push(request)
  })

  answer(failure: StorageError | null = null, spare = new ArrayBuffer(0)): void {
    this.queue.answered({
      kind: 'written',
      tookMs: 1,
      failure: failure && { code: failure.code, message: failure.message },
      spare,
    })
  }
}

test('an append of many megabytes goes in bounded transactions, in order, and completes once, with the last', () => {
  const thread = new Thread()
  const { queue, requests } = thread
  const outcomes: string[] = []
  const entryBytes = 100_000
  queue.write(
    (packer) => packer.truncateSuffix(1, 0),
    () => outcomes.push('before'),
  )
  queue.append(1, sized(1, new Array(100).fill(entryBytes)), () => outcomes.push('large'))
  queue.write(
    (packer) => packer.hardState(1, { term: 2, votedFor: null }),
    () => outcomes.push('after'),
  )
  const indexes: number[] = []
  for (let at = 0; at < requests.length; at++) {
    const { buffer, byteLength } = requests[at] as DiskRequest & { kind: 'write' }
    expect(byteLength).toBeLessThan(MAX_WEIGHT + entryBytes + 100)
    for (const { firstIndex, count } of runsOf(buffer, byteLength)) {
      for (let i = 0; i < count; i++) indexes.push(firstIndex + i)
    }
    expect(outcomes.includes('large')).toBe(false)
    thread.answer()
  }
  expect(indexes).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
  expect(requests.length).toBeGreaterThanOrEqual(5)
  expect(outcomes).toEqual(['before', 'large', 'after'])
})

test('when a middle part of an append fails, it fails as a whole, once, and so does what comes after', () => {
  const thread = new Thread()
  const outcomes: string[] = []
  const say = (word: string) => (error: StorageError | null) =>
    outcomes.push(`${word} ${error?.code ?? 'ok'}`)
  thread.queue.append(1, sized(1, new Array(100).fill(100_000)), say('large'))
  thread.queue.append(1, sized(101, [1]), say('small'))
  thread.answer()
  expect(outcomes).toEqual([])
  thread.answer(new StorageError('FULL', 'no space'))
  expect(outcomes).toEqual(['large FULL', 'small FULL'])
})

test('a turn of many megabytes is all there, and the write-ahead log stays small', async () => {
  const storage = await sqliteStorage()
  const { store } = await openStore(storage, 'g')
  const appended = written((done) => store.append(sized(1, new Array(300).fill(100_000)), done))
  await appended
  expect(
    readAll(store, 1).map(({ index, data }) => data.length === 100_000 && data[7] === (index & 255)),
  ).not.toContain(false)
  expect(readAll(store, 1).length).toBe(300)
  await expect.poll(() => storage.diskStatus().walBytes).toBeGreaterThan(0)
  expect(storage.diskStatus().walBytes).toBeLessThan(8 * 1024 * 1024)
  // What operators are told beside it.
  const { writes } = storage.diskStatus()
  expect(writes?.count).toBeGreaterThan(0)
  expect(writes?.p99Ms ?? 0).toBeGreaterThanOrEqual(writes?.p50Ms ?? Number.POSITIVE_INFINITY)
  await expect.poll(() => storage.diskStatus().freeBytes).toBeGreaterThan(0)
})

test('the buffer of the largest batch of ordinary entries is used again, that of a larger one is not kept', () => {
  for (const [entryBytes, isUsedAgain] of [
    [64 * 1024, true],
    [3 * MAX_WEIGHT, false],
  ] as const) {
    const thread = new Thread()
    const { queue, requests } = thread
    const entries = sized(1, new Array(Math.ceil(MAX_WEIGHT / entryBytes)).fill(entryBytes))
    queue.append(1, entries, () => {})
    const [first] = requests
    thread.answer(null, first?.buffer)
    queue.append(1, sized(1000, [10]), () => {})
    expect(requests[1]?.buffer === first?.buffer).toBe(isUsedAgain)
  }
})
