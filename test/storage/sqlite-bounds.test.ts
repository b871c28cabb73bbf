// Values exactly at a limit, one below and one above; and what no well-meant use of the storage reaches.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { EntryType, type LogEntry } from '../../src/rules/types.ts'
import { Disk } from '../../src/storage/sqlite/disk.ts'
import { startDiskThread } from '../../src/storage/sqlite/disk-thread-handle.ts'
import type { DiskRequest, DiskResponse } from '../../src/storage/sqlite/messages.ts'
import { OperationPacker } from '../../src/storage/sqlite/operations.ts'
import { configureDatabase, MAX_GROUPS, MAX_INDEX } from '../../src/storage/sqlite/schema.ts'
import { findTermRuns } from '../../src/storage/sqlite/term-runs.ts'
import type { StorageError } from '../../src/storage/storage.ts'
import { makeEntries, openStore, readAll, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const KIB = 1024

function sized(first: number, sizes: readonly number[]): LogEntry[] {
  return sizes.map((bytes, position) => ({
    index: first + position,
    term: 1,
    type: EntryType.DATA,
    data: new Uint8Array(bytes).fill(7 + first + position),
  }))
}

test('the greatest index can be written, read and found again; one more is refused', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  await written((done) => store.reset(MAX_INDEX - 1, 1, done))
  await written((done) => store.append(makeEntries(MAX_INDEX - 1, 1), done))
  const tooMany = written((done) => store.append(makeEntries(MAX_INDEX, 2), done))
  await expect(tooMany).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringContaining(String(MAX_INDEX)),
  })
  await written((done) => store.append(makeEntries(MAX_INDEX, 1), done))
  for (const ask of [
    (done: (error: StorageError | null) => void) => store.append(makeEntries(MAX_INDEX + 1, 1), done),
    (done: (error: StorageError | null) => void) => store.reset(MAX_INDEX + 1, 1, done),
    (done: (error: StorageError | null) => void) => store.truncatePrefix(MAX_INDEX + 1, 1, done),
  ]) {
    await expect(written(ask)).rejects.toMatchObject({ code: 'INVALID' })
  }
  await written((done) => storage.close(done))
  const again = await openStore(await sqliteStorage({ dataDir }), 'g')
  expect(again.stored).toMatchObject({ firstIndex: MAX_INDEX - 1, lastIndex: MAX_INDEX })
  expect(readAll(again.store, MAX_INDEX - 1)).toEqual(makeEntries(MAX_INDEX - 1, 2))
})

test('neighbors at the greatest index do not run into one another', async () => {
  const storage = await sqliteStorage()
  const a = await openStore(storage, 'a')
  const b = await openStore(storage, 'b')
  await written((done) => a.store.reset(MAX_INDEX, 1, done))
  await written((done) => b.store.append(makeEntries(1, 3), done))
  await written((done) => a.store.append(makeEntries(MAX_INDEX, 1), done))
  await written((done) => a.store.truncateSuffix(MAX_INDEX - 1, done))
  expect(readAll(b.store, 1)).toEqual(makeEntries(1, 3))
  expect(readAll(a.store, MAX_INDEX)).toEqual([])
})

test('as many groups as a database holds can be opened, one more is refused and the others go on', async () => {
  const dataDir = temporaryDirectory()
  const before = await sqliteStorage({ dataDir })
  await openStore(before, 'first')
  await written((done) => before.close(done))
  // The second group is given the greatest number but one.
  const db = new Database(join(dataDir, 'quorate.db'))
  const columns = [MAX_GROUPS - 1, 'second', null, null, 1, 0]
  const { recordChecksum } = await import('../../src/storage/sqlite/checksum.ts')
  db.prepare('INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?, ?)').run(...columns, recordChecksum(columns))
  db.close()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'last')
  await written((done) => store.append(makeEntries(1, 3), done))
  await expect(openStore(storage, 'too many')).rejects.toMatchObject({ code: 'FULL' })
  await written((done) => store.append(makeEntries(4, 1), done))
  expect((await openStore(storage, 'second')).stored.lastIndex).toBe(0)
})

test('appends of every number of rows around the sizes they are inserted in are whole', async () => {
  const storage = await sqliteStorage()
  const { store } = await openStore(storage, 'g')
  let next = 1
  for (const count of [1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 71, 72, 73, 127, 128, 129, 137]) {
    await written((done) => store.append(makeEntries(next, count), done))
    expect(readAll(store, next)).toEqual(makeEntries(next, count))
    next += count
  }
})

test('entries around the size from which rows are inserted one by one are whole', async () => {
  const storage = await sqliteStorage()
  const { store } = await openStore(storage, 'g')
  let next = 1
  for (const bytes of [16 * KIB - 1, 16 * KIB, 16 * KIB + 1]) {
    const entries = sized(next, new Array(9).fill(bytes))
    await written((done) => store.append(entries, done))
    expect(
      readAll(store, next).every(({ data }, i) => Buffer.compare(data, entries[i]?.data ?? data) === 0),
    ).toBe(true)
    next += 9
  }
})

test.each([63, 64, 65, 128, 129])('%i configuration entries are found again', async (count) => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  await written((done) => store.append(makeEntries(1, count, 1, EntryType.CONFIGURATION), done))
  await written((done) => storage.close(done))
  const { stored } = await openStore(await sqliteStorage({ dataDir }), 'g')
  expect(stored.configurations.map(({ index }) => index)).toEqual(
    Array.from({ length: count }, (_, i) => i + 1),
  )
})

test('a term that goes back is found though both entries are whole', () => {
  const runsOf = (terms: readonly number[]) => {
    const at = (index: number): number => terms[index - 1] ?? 0
    const search = findTermRuns(1, terms.length, { peek: at, verified: at })
    let step = search.next()
    while (step.done !== true) step = search.next()
    return step.value
  }
  expect(runsOf([1, 1, 2])).toEqual([
    { firstIndex: 1, term: 1 },
    { firstIndex: 3, term: 2 },
  ])
  expect(runsOf([2, 2, 1])).toBe(3)
  expect(runsOf([1, 3, 2])).toBe(3)
  expect(runsOf([])).toEqual([])
})

test('a setting that SQLite does not keep is refused', () => {
  const db = new Database(':memory:') // knows no write-ahead log
  onTestFinished(() => void db.close())
  expect(() => configureDatabase(db, null)).toThrow(
    /SQLite keeps journal_mode at memory .* where WAL is needed/,
  )
})

test.each([
  ['as much as one page below', 12 * 4096 - 1, 11],
  ['exactly', 12 * 4096, 12],
  ['a little more than', 12 * 4096 + 1, 12],
])('a limit of %s twelve pages', (_what, bytes, pages) => {
  const dataDir = temporaryDirectory()
  const db = new Database(join(dataDir, 'limit.db'))
  onTestFinished(() => void db.close())
  configureDatabase(db, bytes)
  expect(db.pragma('max_page_count', { simple: true })).toBe(pages)
})

test('a disk that failed once is not written to again, though there would be room', () => {
  const options = {
    dataDir: temporaryDirectory(),
    hostId: 'n1',
    maxDatabaseBytes: 200_000,
    maxWalBytes: KIB * KIB,
  }
  const disk = new Disk(options, () => performance.now())
  const [opening] = disk.openGroups(['g'])
  while (opening?.next().done === false);
  const write = (entries: readonly LogEntry[]) => {
    const packer = new OperationPacker(new ArrayBuffer(KIB))
    packer.append(1, entries, 0)
    return disk.write(packer.buffer, packer.byteLength)
  }
  expect(write(sized(1, [100]))).toBe(null)
  expect(write(sized(2, [400_000]))).toMatchObject({ code: 'FULL' })
  expect(write(sized(2, [100]))).toMatchObject({ code: 'FULL' })
  expect(disk.openGroups(['h']).map((other) => other.next().value)).toMatchObject([
    { ok: false, failure: { code: 'FULL' } },
  ])
  disk.close()
  // Not even what it refused with an error.
  const again = new Disk({ ...options, maxDatabaseBytes: null }, () => performance.now())
  onTestFinished(() => void again.close())
  const [reopening] = again.openGroups(['g'])
  let step = reopening?.next()
  while (step?.done === false) step = reopening?.next()
  expect(step?.value).toMatchObject({ ok: true, stored: { lastIndex: 1 } })
})

test('a disk thread that dies says why, once', async () => {
  const options = {
    dataDir: temporaryDirectory(),
    hostId: 'n1',
    maxDatabaseBytes: null,
    maxWalBytes: KIB * KIB,
  }
  const thread = await startDiskThread(options, 10_000)
  onTestFinished(async () => void (await thread.stop()))
  const ends: string[] = []
  const responses: DiskResponse[] = []
  const ended = new Promise<void>((resolve) =>
    thread.listen({
      onResponse: (response) => void responses.push(response),
      onEnd: (reason) => {
        ends.push(reason)
        resolve()
      },
    }),
  )
  thread.post({ kind: 'open', firstId: 1, groups: 7 } as unknown as DiskRequest, [])
  await ended
  await expect(startDiskThread({ ...options, hostId: 'n2' }, 10_000)).rejects.toMatchObject({
    code: 'FOREIGN',
  })
  expect(ends).toEqual([expect.stringMatching(/names\.map|is not a function/)])
})

test('an open storage does not keep a process alive that has nothing to do; a write that is under way does', async () => {
  const dataDir = temporaryDirectory()
  const storageFile = new URL('../../dist/src/storage/sqlite/sqlite-storage.js', import.meta.url).href
  const program = `
    const { openSqliteStorage } = await import(${JSON.stringify(storageFile)})
    const storage = await openSqliteStorage({ dataDir: ${JSON.stringify(dataDir)}, hostId: 'n1' })
    const { store } = await new Promise((resolve) => storage.openGroup('g', resolve))
    await new Promise((resolve) => setTimeout(resolve, 50))
    store.append([{ index: 1, term: 1, type: 2, data: Buffer.alloc(10) }], (error) => console.log('durable', error))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [code] = await once(child, 'close')
  expect({ code, said }).toEqual({ code: 0, said: 'durable null\n' })
})
