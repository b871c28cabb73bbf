// A disk that is full, a write-ahead log that must stay small, a log that is long, a thread that dies.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { EntryType, type LogEntry } from '../../src/rules/types.ts'
import type { DiskRequest } from '../../src/storage/sqlite/messages.ts'
import { RequestQueue } from '../../src/storage/sqlite/request-queue.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { makeEntries, openStore, readAll, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const MIB = 1024 * 1024

function large(first: number, count: number, bytes: number): LogEntry[] {
  return Array.from({ length: count }, (_, position) => ({
    index: first + position,
    term: 1,
    type: EntryType.DATA,
    data: new Uint8Array(bytes).fill(position),
  }))
}

function rowCount(dataDir: string): number {
  const db = new Database(join(dataDir, 'quorate.db'), { readonly: true })
  const count = db.prepare<[], number>('SELECT count(*) FROM log_entries').pluck().get()
  db.close()
  return count ?? 0
}

test('a full disk fails the whole transaction and everything after it, of every group; reads go on', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir, maxDatabaseBytes: 400_000 })
  const a = await openStore(storage, 'a')
  const b = await openStore(storage, 'b')
  let acknowledged = 0
  let failure: unknown = null
  for (let next = 1; failure === null; next += 10) {
    await written((done) => a.store.append(large(next, 10, 1000), done)).then(
      () => {
        acknowledged = next + 9
      },
      (error: unknown) => {
        failure = error
      },
    )
  }
  expect(failure).toMatchObject({ code: 'FULL' })
  expect(acknowledged).toBeGreaterThan(100)
  // Smaller than what did not fit, and yet refused: a storage that failed once is not trusted again.
  await expect(written((done) => b.store.append(makeEntries(1, 1), done))).rejects.toMatchObject({
    code: 'FULL',
  })
  const vote = written((done) => b.store.saveHardState({ term: 1, votedFor: null }, done))
  await expect(vote).rejects.toMatchObject({ code: 'FULL' })
  await expect(openStore(storage, 'c')).rejects.toMatchObject({ code: 'FULL' })
  expect(readAll(a.store, 1).length).toBe(acknowledged)
  await written((done) => storage.close(done))

  const roomier = await sqliteStorage({ dataDir })
  const again = await openStore(roomier, 'a')
  expect(again.stored.lastIndex).toBe(acknowledged)
  await written((done) => again.store.append(large(acknowledged + 1, 10, 1000), done))
  expect((await openStore(roomier, 'b')).stored).toMatchObject({ lastIndex: 0, hardState: null })
})

test('when a transaction fails, every callback of its batch says so, in order', async () => {
  const storage = await sqliteStorage({ maxDatabaseBytes: 300_000 })
  const a = await openStore(storage, 'a')
  const b = await openStore(storage, 'b')
  const outcomes: string[] = []
  const say = (word: string) => (error: StorageError | null) =>
    outcomes.push(`${word} ${error?.code ?? 'ok'}`)
  a.store.append(makeEntries(1, 1), say('first, alone'))
  b.store.saveHardState({ term: 1, votedFor: null }, say('vote'))
  a.store.append(large(2, 1, 500_000), say('large'))
  b.store.append(makeEntries(1, 1), say('small'))
  await written((done) => b.store.append([], done)).catch(() => {})
  expect(outcomes).toEqual(['first, alone ok', 'vote FULL', 'large FULL', 'small FULL'])
})

test('the write-ahead log stays near its limit under load and is gone after a close', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir, maxWalBytes: MIB / 2 })
  const { store } = await openStore(storage, 'g')
  const wal = join(dataDir, 'quorate.db-wal')
  let greatest = 0
  for (let next = 1; next < 40_000; next += 200) {
    await written((done) => store.append(large(next, 200, 500), done))
    greatest = Math.max(greatest, statSync(wal).size)
  }
  expect(greatest).toBeLessThan(MIB)
  await written((done) => storage.close(done))
  expect(existsSync(wal)).toBe(false)
})

test('rows that a dropped prefix left behind are removed after a restart', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  await written((done) => store.append(makeEntries(1, 100), done))
  await written((done) => store.truncatePrefix(51, 1, done))
  await written((done) => storage.close(done))
  const db = new Database(join(dataDir, 'quorate.db'))
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
    INSERT OR REPLACE INTO log_entries SELECT 1 << 48 | i, 1, 2, 0, x'' FROM n`)
  db.close()
  expect(rowCount(dataDir)).toBe(100)
  const { store: again, stored } = await openStore(await sqliteStorage({ dataDir }), 'g')
  expect(stored).toMatchObject({ firstIndex: 51, lastIndex: 100, termBeforeFirst: 1 })
  expect(again.read(50, { maxEntries: 1, maxBytes: 1 })).toEqual([])
  await expect.poll(() => rowCount(dataDir), { timeout: 10_000 }).toBe(50)
  expect(readAll(again, 51)).toEqual(makeEntries(51, 50))
})

test('a dropped prefix of many rows is removed in quiet moments', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  await written((done) => store.append(large(1, 30_000, 10), done))
  await written((done) => store.truncatePrefix(29_001, 1, done))
  await expect.poll(() => rowCount(dataDir), { timeout: 10_000 }).toBe(1000)
  expect(readAll(store, 29_001).length).toBe(1000)
})

test('under steady load dropped rows go along with the writes', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  await written((done) => store.append(large(1, 2000, 10), done))
  store.reset(9001, 1, () => {})
  for (let next = 9001; next < 9011; next++) await written((done) => store.append(large(next, 1, 10), done))
  expect(rowCount(dataDir)).toBe(10)
  expect((await openStoreAgain(dataDir, storage)).stored).toMatchObject({ firstIndex: 9001, lastIndex: 9010 })
})

async function openStoreAgain(dataDir: string, storage: Awaited<ReturnType<typeof sqliteStorage>>) {
  await written((done) => storage.close(done))
  return openStore(await sqliteStorage({ dataDir }), 'g')
}

test('a log of 200,000 entries opens quickly', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  const data = new Uint8Array(100)
  for (let next = 1; next <= 200_000; next += 4000) {
    const entries = Array.from({ length: 4000 }, (_, position) => ({
      index: next + position,
      term: 1 + Math.floor(next / 50_000),
      type: position === 17 ? EntryType.CONFIGURATION : EntryType.DATA,
      data,
    }))
    store.append(entries, () => {})
  }
  await written((done) => storage.close(done))
  const again = await sqliteStorage({ dataDir })
  const start = performance.now()
  const { stored } = await openStore(again, 'g')
  expect(performance.now() - start).toBeLessThan(1000)
  expect(stored).toMatchObject({ firstIndex: 1, lastIndex: 200_000 })
  expect(stored.terms.map((run) => run.term)).toEqual([1, 2, 3, 4])
  expect(stored.configurations.length).toBe(50)
})

test('many groups open together', async () => {
  const dataDir = temporaryDirectory()
  const names = Array.from({ length: 300 }, (_, number) => `group-${number}`)
  const storage = await sqliteStorage({ dataDir })
  const opened = await Promise.all(names.map((name) => openStore(storage, name)))
  for (const [number, { store }] of opened.entries()) store.append(makeEntries(1, 1 + (number % 3)), () => {})
  await written((done) => storage.close(done))
  const again = await sqliteStorage({ dataDir })
  const found = await Promise.all(names.map((name) => openStore(again, name)))
  expect(found.map(({ stored }) => stored.lastIndex)).toEqual(names.map((_, number) => 1 + (number % 3)))
})

test('a view on a shared chunk stays usable after it was appended', async () => {
  const storage = await sqliteStorage()
  const { store } = await openStore(storage, 'g')
  const chunk = Buffer.alloc(65_536, 3)
  const pooled = Buffer.from('from the pool')
  const entries = [chunk.subarray(100, 200), pooled].map((data, position) => ({
    index: 1 + position,
    term: 1,
    type: EntryType.DATA,
    data,
  }))
  await written((done) => store.append(entries, done))
  expect(chunk.length).toBe(65_536)
  expect(pooled.toString()).toBe('from the pool')
  expect(readAll(store, 1).map((entry) => entry.data.length)).toEqual([100, 13])
})

test('when the disk thread dies, what waits and what comes later fails once, in order, never inside the call', async () => {
  const sent: DiskRequest[] = []
  const queue = new RequestQueue((request) => void sent.push(request))
  const outcomes: string[] = []
  const say = (word: string) => (error: StorageError | null) =>
    outcomes.push(`${word} ${error?.code ?? 'ok'}`)
  queue.write((packer) => packer.truncateSuffix(1, 5), say('under way'))
  queue.write((packer) => packer.truncateSuffix(1, 4), say('waiting'))
  queue.open({
    group: 'g',
    opened: (result) => outcomes.push(result.ok ? 'opened' : `opened ${result.failure.code}`),
  })
  expect(sent.length).toBe(1)
  const other = new RequestQueue((request) => void sent.push(request))
  other.open({ group: 'h', opened: (result) => outcomes.push(result.ok ? 'h' : `h ${result.failure.code}`) })
  other.abandon(new StorageError('IO', 'gone'))
  expect(outcomes.splice(0)).toEqual(['h IO'])
  queue.abandon(new StorageError('IO', 'gone'))
  queue.write((packer) => packer.truncateSuffix(1, 3), say('later'))
  expect(outcomes).toEqual(['under way IO', 'waiting IO', 'opened IO'])
  await Promise.resolve()
  expect(outcomes).toEqual(['under way IO', 'waiting IO', 'opened IO', 'later IO'])
})
