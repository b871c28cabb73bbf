// What every Storage must do, as cases for any test runner. An author of a storage runs them all against their own.

import assert from 'node:assert/strict'
import { EntryType, type HardState, type LogEntry } from '../rules/types.ts'
import type {
  FetchResult,
  GroupStore,
  ReadLimits,
  Storage,
  StorageDone,
  StorageError,
  StoredGroup,
} from '../storage/storage.ts'

/** A fresh storage under test. The maker cleans up after the case. */
export interface StorageUnderTest {
  readonly storage: Storage
  /** Closes the storage and opens another one over what it made durable. */
  reopen(): Promise<Storage>
}

export interface StorageCase {
  readonly name: string
  /** Rejects with an AssertionError when the storage breaks its contract. */
  run(make: () => Promise<StorageUnderTest>): Promise<void>
}

export interface OpenedStore {
  readonly store: GroupStore
  readonly stored: StoredGroup
}

/** Opens a group; rejects with the StorageError. */
export function openStore(storage: Storage, group: string): Promise<OpenedStore> {
  return new Promise((resolve, reject) => {
    storage.openGroup(group, (result) => (result.ok ? resolve(result) : reject(result.error)))
  })
}

/** Makes one write and resolves when it is durable; rejects with the StorageError. */
export function written(ask: (done: StorageDone) => void): Promise<void> {
  return new Promise((resolve, reject) => ask((error) => (error === null ? resolve() : reject(error))))
}

/** `count` data entries from `first` on, each telling its index and term in its data. */
export function makeEntries(
  first: number,
  count: number,
  term = 1,
  type: EntryType = EntryType.DATA,
): LogEntry[] {
  return Array.from({ length: count }, (_, position) => {
    const index = first + position
    return { index, term, type, data: new TextEncoder().encode(`entry ${index} of term ${term}`) }
  })
}

/** As a witness keeps them. */
function withheldEntries(first: number, count: number): LogEntry[] {
  const data = new Uint8Array(0)
  return makeEntries(first, count, 1, EntryType.WITHHELD).map((entry) => ({ ...entry, data }))
}

const EVERYTHING = { maxEntries: 1_000_000, maxBytes: 1_000_000_000 }

export function readAll(store: GroupStore, from: number): LogEntry[] {
  return store.read(from, EVERYTHING).map((entry) => ({ ...entry, data: Uint8Array.from(entry.data) }))
}

/** Reads asynchronously; resolves with whatever it ends in. */
export function fetched(
  store: GroupStore,
  from: number,
  limits: ReadLimits = EVERYTHING,
): Promise<FetchResult> {
  return new Promise((resolve) => store.fetch(from, limits, resolve))
}

/** The entries of a fetch, or what it ended in instead, in a word. */
async function fetchedEntries(fetch: Promise<FetchResult>): Promise<LogEntry[] | string> {
  const result = await fetch
  if (result.kind === 'entries') return result.entries.map(plain)
  return result.kind === 'compacted' ? `compacted below ${result.firstIndex}` : result.error.code
}

async function fetchedIndexes(fetch: Promise<FetchResult>): Promise<number[] | string> {
  const found = await fetchedEntries(fetch)
  return typeof found === 'string' ? found : indexes(found)
}

function indexes(entries: readonly LogEntry[]): number[] {
  return entries.map((entry) => entry.index)
}

function summary({ firstIndex, lastIndex, termBeforeFirst }: StoredGroup): readonly number[] {
  return [firstIndex, lastIndex, termBeforeFirst]
}

async function refusedWith(code: StorageError['code'], work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.equal((error as StorageError).code, code, String(error))
    return true
  })
}

/** 208 entries: small and large ones, an empty one, of several types, with a great term. */
function allSorts(): LogEntry[] {
  return [
    ...makeEntries(1, 5),
    ...makeEntries(6, 1, 2, EntryType.NO_OP),
    { index: 7, term: 2, type: EntryType.DATA, data: new Uint8Array(0) },
    { index: 8, term: 2, type: EntryType.DATA, data: new Uint8Array(100_000).fill(7) },
    ...makeEntries(9, 200, 2 ** 40),
  ]
}

const reading: readonly StorageCase[] = [
  {
    name: 'a group that was never written is empty: first 1, last 0, no hard state',
    async run(make) {
      const { storage } = await make()
      const { store, stored: found } = await openStore(storage, 'g')
      const { identity: _, ...stored } = found
      assert.deepEqual(stored, {
        hardState: null,
        firstIndex: 1,
        lastIndex: 0,
        termBeforeFirst: 0,
        terms: [],
        configurations: [],
        withheld: null,
      })
      assert.deepEqual(store.read(1, EVERYTHING), [])
    },
  },
  {
    name: 'files keep their identity as long as they live, and others have another',
    async run(make) {
      const first = await make()
      const opened = await openStore(first.storage, 'g')
      const { identity } = opened.stored
      if (identity === undefined) return
      assert.ok(Number.isSafeInteger(identity) && identity > 0)
      await written((done) => opened.store.append(makeEntries(1, 3), done))
      await written((done) => first.storage.close(done))
      const again = await first.reopen()
      assert.equal((await openStore(again, 'g')).stored.identity, identity)
      assert.notEqual((await openStore((await make()).storage, 'g')).stored.identity, identity)
    },
  },
  {
    name: 'what was appended is read back with index, term, type and data, before and after reopening',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      const entries = allSorts()
      await written((done) => store.append(entries, done))
      assert.deepEqual(readAll(store, 1), entries)
      assert.deepEqual(indexes(readAll(store, 208)), [208])
      assert.deepEqual(store.read(0, EVERYTHING), [])
      assert.deepEqual(store.read(209, EVERYTHING), [])
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(summary(again.stored), [1, 208, 0])
      assert.deepEqual(readAll(again.store, 1), entries)
    },
  },
  {
    name: 'reads end at their limits but return at least one entry',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      const entries = makeEntries(1, 10).map((entry) => ({ ...entry, data: new Uint8Array(100) }))
      await written((done) => store.append(entries, done))
      assert.deepEqual(indexes(store.read(3, { maxEntries: 4, maxBytes: 1e9 })), [3, 4, 5, 6])
      assert.deepEqual(indexes(store.read(3, { maxEntries: 10, maxBytes: 300 })), [3, 4, 5])
      assert.deepEqual(indexes(store.read(3, { maxEntries: 10, maxBytes: 299 })), [3, 4])
      assert.deepEqual(indexes(store.read(3, { maxEntries: 10, maxBytes: 1 })), [3])
      assert.deepEqual(indexes(store.read(10, { maxEntries: 10, maxBytes: 1e9 })), [10])
    },
  },
  {
    name: "the caller's bytes are copied when they are handed in, and what is read is the caller's",
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      const chunk = new Uint8Array(64).fill(1)
      const entry = { index: 1, term: 1, type: EntryType.DATA, data: chunk.subarray(8, 16) }
      const durable = written((done) => store.append([entry], done))
      chunk.fill(9)
      await durable
      const [first] = store.read(1, EVERYTHING)
      assert.deepEqual(Uint8Array.from(first?.data ?? []), new Uint8Array(8).fill(1))
      first?.data.fill(5)
      assert.deepEqual(readAll(store, 1)[0]?.data, new Uint8Array(8).fill(1))
    },
  },
  {
    name: 'an entry can be read from its callback on, not before it was written',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      const durable = written((done) => store.append(makeEntries(1, 3), done))
      assert.deepEqual(store.read(1, EVERYTHING), [])
      await durable
      assert.deepEqual(indexes(store.read(1, EVERYTHING)), [1, 2, 3])
    },
  },
]

const fetching: readonly StorageCase[] = [
  {
    name: 'a fetch hands over what a read finds, later, within its limits but at least one entry',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      const entries = allSorts()
      assert.deepEqual(await fetchedEntries(fetched(store, 1)), [])
      await written((done) => store.append(entries, done))
      let inTheCall = true
      const ended = new Promise<boolean>((resolve) => store.fetch(1, EVERYTHING, () => resolve(inTheCall)))
      inTheCall = false
      assert.equal(await ended, false)
      assert.deepEqual(await fetchedEntries(fetched(store, 1)), entries)
      assert.deepEqual(
        await fetchedIndexes(fetched(store, 3, { maxEntries: 4, maxBytes: 1e9 })),
        [3, 4, 5, 6],
      )
      assert.deepEqual(await fetchedIndexes(fetched(store, 7, { maxEntries: 9, maxBytes: 100_000 })), [7, 8])
      assert.deepEqual(await fetchedIndexes(fetched(store, 7, { maxEntries: 9, maxBytes: 99_999 })), [7])
      assert.deepEqual(await fetchedIndexes(fetched(store, 8, { maxEntries: 9, maxBytes: 1 })), [8])
      assert.deepEqual(await fetchedIndexes(fetched(store, 208)), [208])
      assert.deepEqual(await fetchedEntries(fetched(store, 209)), [])
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(await fetchedEntries(fetched(again.store, 1)), entries)
    },
  },
  {
    name: 'fetches of a group end in the order asked for, each for itself, and not at all when cancelled',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 50), done))
      const order: number[] = []
      store.fetch(40, EVERYTHING, () => order.push(40))
      store.fetch(99, EVERYTHING, () => order.push(99))
      store.fetch(1, EVERYTHING, () => order.push(1)).cancel()
      store.fetch(50, EVERYTHING, (result) => {
        order.push(50)
        if (result.kind === 'entries') result.entries[0]?.data.fill(0)
      })
      const last = await fetchedEntries(fetched(store, 49))
      assert.deepEqual(order, [40, 99, 50])
      assert.deepEqual(last, makeEntries(49, 2))
    },
  },
  {
    name: 'a fetch sees no entry whose removal was asked for meanwhile, and none that took its place',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 50), done))
      const across = fetchedIndexes(fetched(store, 35))
      const behind = fetchedIndexes(fetched(store, 45))
      store.truncateSuffix(40, () => {})
      const late = fetchedEntries(fetched(store, 38))
      const appended = written((done) => store.append(makeEntries(41, 20, 2), done))
      assert.deepEqual(await across, [35, 36, 37, 38, 39, 40])
      assert.deepEqual(await behind, [])
      assert.deepEqual(await late, makeEntries(38, 3))
      await appended
      assert.deepEqual(await fetchedEntries(fetched(store, 39)), [
        ...makeEntries(39, 2),
        ...makeEntries(41, 20, 2),
      ])
    },
  },
  {
    name: 'a fetch whose first entry is compacted says so, and where the log begins',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 50), done))
      const racing = fetchedIndexes(fetched(store, 20))
      const unharmed = fetchedIndexes(fetched(store, 48))
      store.truncatePrefix(31, 1, () => {})
      assert.equal(await racing, 'compacted below 31')
      assert.deepEqual(await unharmed, [48, 49, 50])
      assert.equal(await fetchedIndexes(fetched(store, 30)), 'compacted below 31')
      assert.equal(await fetchedIndexes(fetched(store, 0)), 'compacted below 31')
      assert.deepEqual(await fetchedIndexes(fetched(store, 31, { maxEntries: 2, maxBytes: 1e9 })), [31, 32])
      const overtaken = fetchedIndexes(fetched(store, 40))
      store.reset(501, 7, () => {})
      assert.equal(await overtaken, 'compacted below 501')
      const goneBack = fetchedIndexes(fetched(store, 501))
      store.reset(51, 3, () => {})
      const appended = written((done) => store.append(makeEntries(51, 500, 8), done))
      assert.deepEqual(await goneBack, [])
      await appended
      assert.deepEqual(await fetchedEntries(fetched(store, 501)), makeEntries(501, 50, 8))
    },
  },
  {
    name: 'a fetch that the close of its group or storage overtakes ends as CLOSED',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      const other = await openStore(storage, 'other')
      await written((done) => store.append(makeEntries(1, 50), done))
      await written((done) => other.store.append(makeEntries(1, 5), done))
      const before = fetchedIndexes(fetched(store, 1))
      const closed = written((done) => store.close(done))
      assert.equal(await before, 'CLOSED')
      await closed
      assert.equal(await fetchedIndexes(fetched(store, 1)), 'CLOSED')
      assert.deepEqual(await fetchedIndexes(fetched(other.store, 4)), [4, 5])
      const overtaken = fetchedIndexes(fetched(other.store, 1))
      const storageClosed = written((done) => storage.close(done))
      assert.equal(await overtaken, 'CLOSED')
      await storageClosed
      assert.equal(await fetchedIndexes(fetched(other.store, 1)), 'CLOSED')
    },
  },
]

const ordering: readonly StorageCase[] = [
  {
    name: 'callbacks come once, later, and in the order asked for, across groups and kinds',
    async run(make) {
      const { storage } = await make()
      const a = await openStore(storage, 'a')
      const b = await openStore(storage, 'b')
      const order: string[] = []
      const say =
        (word: string): StorageDone =>
        (error) => {
          order.push(error === null ? word : `${word}: ${error.message}`)
        }
      a.store.append(makeEntries(1, 3), say('append a'))
      b.store.saveHardState({ term: 4, votedFor: 'n1' }, say('hard state b'))
      b.store.append(makeEntries(1, 2), say('append b'))
      a.store.append([], say('barrier a'))
      a.store.truncateSuffix(1, say('suffix a'))
      a.store.append([], say('barrier again'))
      a.store.truncatePrefix(2, 1, say('prefix a'))
      b.store.reset(9, 4, say('reset b'))
      assert.deepEqual(order, [])
      await written((done) => b.store.append([], done))
      assert.deepEqual(order, [
        'append a',
        'hard state b',
        'append b',
        'barrier a',
        'suffix a',
        'barrier again',
        'prefix a',
        'reset b',
      ])
    },
  },
  {
    name: 'an append without entries is a barrier behind what was asked for before',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      for (let batch = 0; batch < 20; batch++) store.append(makeEntries(1 + 10 * batch, 10), () => {})
      await written((done) => store.append([], done))
      assert.equal(readAll(store, 1).length, 200)
    },
  },
  {
    name: 'what is asked for in a callback comes after what was asked for before',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      const order: number[] = []
      await new Promise<void>((resolve) => {
        store.append(makeEntries(1, 1), () => {
          order.push(1)
          store.append(makeEntries(3, 1), () => {
            order.push(3)
            resolve()
          })
        })
        store.append(makeEntries(2, 1), () => order.push(2))
      })
      assert.deepEqual(order, [1, 2, 3])
      assert.deepEqual(indexes(readAll(store, 1)), [1, 2, 3])
    },
  },
  {
    name: 'an append that leaves a gap, goes back or lowers the term is refused, and nothing of it is written',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 3, 2), done))
      await refusedWith(
        'INVALID',
        written((done) => store.append(makeEntries(5, 1, 2), done)),
      )
      await refusedWith(
        'INVALID',
        written((done) => store.append(makeEntries(3, 1, 2), done)),
      )
      await refusedWith(
        'INVALID',
        written((done) => store.append(makeEntries(4, 1, 1), done)),
      )
      const torn = [...makeEntries(4, 2, 2), ...makeEntries(7, 1, 2)]
      await refusedWith(
        'INVALID',
        written((done) => store.append(torn, done)),
      )
      await refusedWith(
        'INVALID',
        written((done) => store.saveHardState({ term: -1, votedFor: null }, done)),
      )
      await refusedWith(
        'INVALID',
        written((done) => store.reset(0, 0, done)),
      )
      await written((done) => store.append(makeEntries(4, 1, 2), done))
      assert.deepEqual(indexes(readAll(store, 1)), [1, 2, 3, 4])
    },
  },
]

const removing: readonly StorageCase[] = [
  {
    name: 'a cut suffix is gone, other entries take its place',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 100), done))
      await written((done) => store.truncateSuffix(200, done))
      await written((done) => store.truncateSuffix(40, done))
      assert.deepEqual(readAll(store, 38), makeEntries(38, 3))
      const others = makeEntries(41, 5, 3)
      await written((done) => store.append(others, done))
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(summary(again.stored), [1, 45, 0])
      assert.deepEqual(again.stored.terms, [
        { firstIndex: 1, term: 1 },
        { firstIndex: 41, term: 3 },
      ])
      assert.deepEqual(readAll(again.store, 39), [...makeEntries(39, 2), ...others])
    },
  },
  {
    name: 'a cut prefix is gone and the term before it remembered',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append([...makeEntries(1, 50, 1), ...makeEntries(51, 50, 2)], done))
      await written((done) => store.truncatePrefix(61, 2, done))
      await written((done) => store.truncatePrefix(11, 1, done))
      assert.deepEqual(store.read(60, EVERYTHING), [])
      assert.deepEqual(readAll(store, 61), makeEntries(61, 40, 2))
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(summary(again.stored), [61, 100, 2])
      assert.deepEqual(again.stored.terms, [{ firstIndex: 61, term: 2 }])
      assert.deepEqual(store === again.store, false)
      assert.deepEqual(again.store.read(60, EVERYTHING), [])
      assert.deepEqual(readAll(again.store, 61), makeEntries(61, 40, 2))
    },
  },
  {
    name: 'cutting the prefix at or beyond the end leaves an empty log that begins there',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 10), done))
      await written((done) => store.truncatePrefix(11, 1, done))
      await written((done) => store.append(makeEntries(11, 2), done))
      await written((done) => store.truncatePrefix(21, 5, done))
      assert.deepEqual(store.read(11, EVERYTHING), [])
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(summary(again.stored), [21, 20, 5])
      assert.deepEqual(again.stored.terms, [])
      await written((done) => again.store.append(makeEntries(21, 3, 5), done))
      assert.deepEqual(indexes(readAll(again.store, 21)), [21, 22, 23])
    },
  },
  {
    name: 'a reset empties the log and moves its beginning, forwards and backwards',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 100), done))
      await written((done) => store.reset(501, 7, done))
      assert.deepEqual(store.read(1, EVERYTHING), [])
      await written((done) => store.append(makeEntries(501, 10, 7), done))
      await written((done) => store.reset(51, 3, done))
      await written((done) => store.append(makeEntries(51, 10, 8), done))
      assert.deepEqual(readAll(store, 51), makeEntries(51, 10, 8))
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(summary(again.stored), [51, 60, 3])
      assert.deepEqual(readAll(again.store, 51), makeEntries(51, 10, 8))
      await written((done) => again.store.append(makeEntries(61, 100, 8), done))
      assert.deepEqual(readAll(again.store, 51), makeEntries(51, 110, 8))
    },
  },
]

const recovering: readonly StorageCase[] = [
  {
    name: 'runs of terms are found however long they are',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      const lengths = [1, 1, 2, 1, 7, 300, 1, 64, 2, 1]
      const terms: { firstIndex: number; term: number }[] = []
      let next = 1
      for (const [position, length] of lengths.entries()) {
        const term = 2 * position + 1
        terms.push({ firstIndex: next, term })
        store.append(makeEntries(next, length, term), () => {})
        next += length
      }
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(again.stored.terms, terms)
      await written((done) => again.store.truncateSuffix(8, done))
      await written((done) => again.store.truncatePrefix(4, 5, done))
      const third = await openStore(await reopen(), 'g')
      assert.deepEqual(third.stored.terms, [
        { firstIndex: 4, term: 5 },
        { firstIndex: 5, term: 7 },
        { firstIndex: 6, term: 9 },
      ])
    },
  },
  {
    name: 'configuration entries are recovered in full, those cut off are not',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      const [early, late] = [
        makeEntries(2, 1, 1, EntryType.CONFIGURATION),
        makeEntries(300, 2, 2, EntryType.CONFIGURATION),
      ]
      await written((done) =>
        store.append([...makeEntries(1, 1), ...early, ...makeEntries(3, 297), ...late], done),
      )
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(again.stored.configurations.map(plain), [...early, ...late])
      await written((done) => again.store.truncateSuffix(300, done))
      const third = await openStore(await reopen(), 'g')
      assert.deepEqual(third.stored.configurations.map(plain), [...early, ...late.slice(0, 1)])
      await written((done) => third.store.truncatePrefix(3, 1, done))
      const fourth = await openStore(await reopen(), 'g')
      assert.deepEqual(fourth.stored.configurations.map(plain), late.slice(0, 1))
    },
  },
  {
    name: 'where entries are without their payload is known as long as they are there',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      const withheld = [...withheldEntries(3, 2), ...makeEntries(5, 1, 1, EntryType.CONFIGURATION)]
      await written((done) =>
        store.append([...makeEntries(1, 2), ...withheld, ...withheldEntries(6, 300)], done),
      )
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(again.stored.withheld, { first: 3, last: 305 })
      assert.deepEqual(readAll(again.store, 3).slice(0, 3), withheld)
      await written((done) => again.store.truncatePrefix(5, 1, done))
      await written((done) => again.store.truncateSuffix(10, done))
      const third = await openStore(await reopen(), 'g')
      assert.deepEqual(third.stored.withheld, { first: 6, last: 10 })
      await written((done) => third.store.truncateSuffix(5, done))
      await written((done) => third.store.append(makeEntries(6, 2), done))
      const fourth = await openStore(await reopen(), 'g')
      assert.deepEqual(fourth.stored.withheld, null)
    },
  },
  {
    name: 'where entries are without their payload is each group’s own, and gone after a reset',
    async run(make) {
      const { storage, reopen } = await make()
      const [a, b] = [await openStore(storage, 'a'), await openStore(storage, 'b')]
      await written((done) => a.store.append(makeEntries(1, 3), done))
      await written((done) => b.store.append(withheldEntries(1, 3), done))
      const second = await reopen()
      const ranges = [await openStore(second, 'a'), await openStore(second, 'b')]
      assert.deepEqual(
        ranges.map(({ stored }) => stored.withheld),
        [null, { first: 1, last: 3 }],
      )
      const [, ofB] = ranges
      await written((done) => ofB?.store.reset(4, 1, done))
      assert.deepEqual((await openStore(await reopen(), 'b')).stored.withheld, null)
    },
  },
  {
    name: 'an entry that is withheld and has data all the same is refused as INVALID',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      const both = { index: 1, term: 1, type: EntryType.WITHHELD, data: new Uint8Array(1) }
      await refusedWith(
        'INVALID',
        written((done) => store.append([both], done)),
      )
      await written((done) => store.append(withheldEntries(1, 1), done))
      assert.deepEqual(readAll(store, 1), withheldEntries(1, 1))
    },
  },
  {
    name: 'term and vote are one record; never written is not the same as term 0',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      await written((done) => store.append(makeEntries(1, 1), done))
      const states: HardState[] = [
        { term: 0, votedFor: null },
        { term: 10, votedFor: null },
        { term: 10, votedFor: 'member-A_1' },
        { term: 2 ** 52, votedFor: null },
      ]
      let current = await openStore(await reopen(), 'g')
      assert.equal(current.stored.hardState, null)
      for (const state of states) {
        await written((done) => current.store.saveHardState(state, done))
        current = await openStore(await reopen(), 'g')
        assert.deepEqual(current.stored.hardState, state)
      }
      assert.deepEqual(indexes(readAll(current.store, 1)), [1])
    },
  },
  {
    name: 'groups do not see each other',
    async run(make) {
      const { storage, reopen } = await make()
      const names = ['a', 'b', 'a-longer_name', 'A']
      const stores = await Promise.all(names.map((name) => openStore(storage, name)))
      for (const [position, { store }] of stores.entries()) {
        store.append(makeEntries(1, 10 * (position + 1), position + 1), () => {})
        store.saveHardState({ term: position, votedFor: `n${position}` }, () => {})
      }
      stores[1]?.store.reset(100, 9, () => {})
      stores[2]?.store.truncateSuffix(3, () => {})
      const next = await reopen()
      const found = await Promise.all(names.map((name) => openStore(next, name)))
      const summaries = found.map(({ stored }) => summary(stored))
      assert.deepEqual(summaries, [
        [1, 10, 0],
        [100, 99, 9],
        [1, 3, 0],
        [1, 40, 0],
      ])
      assert.deepEqual(
        found.map(({ stored }) => stored.hardState?.votedFor),
        ['n0', 'n1', 'n2', 'n3'],
      )
    },
  },
]

const throwing: readonly StorageCase[] = [
  {
    name: 'a callback that throws costs nobody else theirs; its group takes no more and its owner hears of it, once',
    async run(make) {
      const { storage, reopen } = await make()
      const a = await openStore(storage, 'a')
      const b = await openStore(storage, 'b')
      const heard: string[] = []
      a.store.onFailure((error) => heard.push(error.code))
      b.store.onFailure((error) => heard.push(`b ${error.code}`))
      const order: string[] = []
      const boom = (): never => {
        throw new Error('thrown by a callback')
      }
      a.store.append(makeEntries(1, 2), boom)
      a.store.saveHardState({ term: 1, votedFor: null }, async () => boom())
      a.store.append(makeEntries(3, 1), (error) => order.push(`a ${error === null}`))
      b.store.append(makeEntries(1, 1), (error) => order.push(`b ${error === null}`))
      storage.openGroup('c', boom)
      await written((done) => b.store.append(makeEntries(2, 1), done))
      assert.deepEqual(order, ['a true', 'b true'])
      await refusedWith(
        'FAULT',
        written((done) => a.store.append(makeEntries(4, 1), done)),
      )
      await refusedWith(
        'FAULT',
        written((done) => a.store.saveHardState({ term: 2, votedFor: null }, done)),
      )
      await written((done) => b.store.append(makeEntries(3, 1), done))
      assert.deepEqual(heard, ['FAULT'])
      assert.deepEqual(indexes(readAll(a.store, 1)), [1, 2, 3])
      await written((done) => a.store.close(done))
      a.store.close(boom)
      const again = await openStore(await reopen(), 'a')
      assert.deepEqual(summary(again.stored), [1, 3, 0])
    },
  },
  {
    name: 'who listens for a failure after it happened is told as well, and a listener may throw',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      await new Promise<void>((resolve) =>
        store.append(makeEntries(1, 1), () => {
          resolve()
          throw new Error('thrown by a callback')
        }),
      )
      const heard: string[] = []
      await refusedWith(
        'FAULT',
        written((done) => store.append(makeEntries(2, 1), done)),
      )
      store.onFailure((error) => {
        heard.push(error.code)
        throw new Error('thrown by a listener')
      })
      const other = await openStore(storage, 'other')
      await written((done) => other.store.append(makeEntries(1, 1), done))
      assert.deepEqual(heard, ['FAULT'])
    },
  },
]

const closing: readonly StorageCase[] = [
  {
    name: 'close ends what was asked for; afterwards everything is refused as CLOSED',
    async run(make) {
      const { storage, reopen } = await make()
      const { store } = await openStore(storage, 'g')
      const order: string[] = []
      store.append(makeEntries(1, 5), (error) => order.push(`append ${error === null}`))
      store.saveHardState({ term: 3, votedFor: null }, (error) => order.push(`hard state ${error === null}`))
      const closed = written((done) => storage.close(done))
      const late = refusedWith(
        'CLOSED',
        written((done) => store.append(makeEntries(6, 1), done)),
      )
      await closed
      await late
      assert.deepEqual(order, ['append true', 'hard state true'])
      await written((done) => storage.close(done))
      await refusedWith(
        'CLOSED',
        written((done) => store.append(makeEntries(6, 1), done)),
      )
      await refusedWith('CLOSED', openStore(storage, 'other'))
      assert.throws(() => store.read(1, EVERYTHING), { code: 'CLOSED' })
      const again = await openStore(await reopen(), 'g')
      assert.deepEqual(summary(again.stored), [1, 5, 0])
    },
  },
  {
    name: 'a group is open once at a time, and can be opened again after its close',
    async run(make) {
      const { storage } = await make()
      const { store } = await openStore(storage, 'g')
      await refusedWith('INVALID', openStore(storage, 'g'))
      const appended = written((done) => store.append(makeEntries(1, 5), done))
      const closed = written((done) => store.close(done))
      const again = openStore(storage, 'g')
      await Promise.all([appended, closed])
      assert.deepEqual(summary((await again).stored), [1, 5, 0])
      await refusedWith(
        'CLOSED',
        written((done) => store.append(makeEntries(6, 1), done)),
      )
      assert.throws(() => store.read(1, EVERYTHING), { code: 'CLOSED' })
      await written((done) => store.close(done))
      assert.deepEqual(indexes(readAll((await again).store, 1)), [1, 2, 3, 4, 5])
    },
  },
]

function plain(entry: LogEntry): LogEntry {
  return { ...entry, data: Uint8Array.from(entry.data) }
}

/** Every case, in reading order. */
export const storageCases: readonly StorageCase[] = [
  ...reading,
  ...fetching,
  ...ordering,
  ...removing,
  ...recovering,
  ...throwing,
  ...closing,
]
