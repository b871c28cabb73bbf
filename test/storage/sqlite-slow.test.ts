// A disk that takes its time: long logs are opened in slices, and nobody waits for ever for one that doesn't answer.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { EntryType } from '../../src/rules/types.ts'
import { type LogFields, silentLogger } from '../../src/runtime/logger.ts'
import { DiskReport } from '../../src/storage/sqlite/disk-report.ts'
import { scanGroup } from '../../src/storage/sqlite/group-scan.ts'
import type { LogReader } from '../../src/storage/sqlite/log-reader.ts'
import { openSqliteStorage, type SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts'
import { isThreadHanging } from '../../src/storage/sqlite/threads.ts'
import type { GroupStore, StorageError } from '../../src/storage/storage.ts'
import { makeEntries, openStore, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

async function fill(store: GroupStore, count: number, bytes: number): Promise<void> {
  const data = new Uint8Array(bytes)
  for (let next = 1; next <= count; next += 5000) {
    const entries = Array.from({ length: 5000 }, (_, i) => ({
      index: next + i,
      term: 1,
      type: EntryType.DATA,
      data,
    }))
    await written((done) => store.append(entries, done))
  }
}

/** Another program that holds the database: the disk thread waits for it inside of SQLite, and answers nothing. */
function occupy(dataDir: string): Database.Database {
  const db = new Database(join(dataDir, 'quorate.db'))
  onTestFinished(() => void db.close())
  db.exec('BEGIN IMMEDIATE')
  return db
}

/** Opens a long log while another group writes: how many commits came in between, and how long the longest took. */
async function commitsWhileOpening(storage: SqliteStorage, short: GroupStore, firstIndex: number) {
  const startMs = performance.now()
  let openMs = 0
  const opened = openStore(storage, 'long').finally(() => {
    openMs = performance.now() - startMs
  })
  let commits = 0
  let longestMs = 0
  while (openMs === 0) {
    const askedMs = performance.now()
    await written((done) => short.append(makeEntries(firstIndex + commits, 1), done))
    longestMs = Math.max(longestMs, performance.now() - askedMs)
    commits++
  }
  const { store, stored } = await opened
  await written((done) => store.close(done))
  return { commits, longestShare: longestMs / openMs, stored }
}

test('while a long log is opened, other groups go on writing', { timeout: 60_000 }, async () => {
  const dataDir = temporaryDirectory()
  const before = await sqliteStorage({ dataDir })
  const long = await openStore(before, 'long')
  await fill(long.store, 200_000, 500)
  await written((done) => before.close(done))

  const storage = await sqliteStorage({ dataDir })
  const short = await openStore(storage, 'short')
  // All of it in one go lets in the one that was asked for at once, which waits for the whole of it, every time. Slices
  // let in more of them unless this very process is kept waiting, which does not happen every time.
  let index = 1
  let isLetIn = false
  for (let attempt = 0; attempt < 8 && !isLetIn; attempt++) {
    const { commits, longestShare, stored } = await commitsWhileOpening(storage, short.store, index)
    expect(stored).toMatchObject({ firstIndex: 1, lastIndex: 200_000 })
    index += commits
    isLetIn = commits > 4 && longestShare < 0.5
  }
  expect(isLetIn).toBe(true)
})

test('a group that holds little need not wait for one that holds much', async () => {
  const dataDir = temporaryDirectory()
  const before = await sqliteStorage({ dataDir })
  await fill((await openStore(before, 'long')).store, 50_000, 500)
  await written((done) => before.close(done))
  const storage = await sqliteStorage({ dataDir })
  const order: string[] = []
  const open = (group: string) => openStore(storage, group).then(() => order.push(group))
  await Promise.all([open('long'), open('short')])
  expect(order).toEqual(['short', 'long'])
})

test('a close waits for what is being opened, and an opening sees what was asked for before it', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  store.append(makeEntries(1, 80_000), () => {})
  store.close(() => {})
  const again = openStore(storage, 'g')
  const order: string[] = []
  void again.then(() => order.push('opened'))
  await written((done) => storage.close(done))
  order.push('closed')
  expect((await again).stored.lastIndex).toBe(80_000)
  expect(order).toEqual(['opened', 'closed'])
})

test.each([
  ['very slow', 100],
  ['slow', 5],
  ['quick', 0.1],
])('the scan takes the smaller steps the slower the disk is (%s)', (_how, perThousandMs) => {
  let nowMs = 0
  const steps: number[] = []
  const reader = {
    lastIndex: () => 100_000,
    requireAll: (_group: unknown, from: number, to: number) => {
      steps.push(to - from + 1)
      nowMs += ((to - from + 1) * perThousandMs) / 1000
    },
    term: () => 1,
    entry: (_group: unknown, index: number) => ({
      index,
      term: 1,
      type: EntryType.DATA,
      data: new Uint8Array(0),
    }),
    configurations: () => [],
    withheld: () => null,
  } as unknown as LogReader
  const record = { number: 1, name: 'g', hardState: null, firstIndex: 1, termBeforeFirst: 0 }
  const scan = scanGroup(record, reader, () => nowMs)
  while (scan.next().done !== true);
  expect(steps.reduce((sum, step) => sum + step, 0)).toBe(100_000)
  // The first steps find out how fast the disk is.
  const longestMs = (Math.max(...steps.slice(4)) * perThousandMs) / 1000
  expect(longestMs).toBeLessThanOrEqual(8)
  expect(Math.max(...steps)).toBeLessThanOrEqual(16_384)
})

test('opening a directory whose disk does not answer ends with a sentence', async () => {
  const dataDir = temporaryDirectory()
  await written((done) => void sqliteStorage({ dataDir }).then((storage) => storage.close(done)))
  occupy(dataDir)
  const startMs = performance.now()
  await expect(openSqliteStorage({ dataDir, hostId: 'n1', startTimeoutMs: 200 })).rejects.toMatchObject({
    code: 'IO',
    message: expect.stringMatching(/could not be opened within 200 ms: its disk does not answer/),
  })
  expect(performance.now() - startMs).toBeLessThan(4000)
  // SQLite gives up after five seconds, and then the thread is gone.
  await expect.poll(() => isThreadHanging(), { timeout: 15_000 }).toBe(false)
})

test('a close on a disk that does not answer ends with a sentence; so does everything that waited', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir, closeTimeoutMs: 200 })
  const { store } = await openStore(storage, 'g')
  const other = occupy(dataDir)
  const outcomes: string[] = []
  const say = (word: string) => (error: StorageError | null) =>
    outcomes.push(`${word} ${error?.code ?? 'ok'}`)
  store.append(makeEntries(1, 5), say('under way'))
  store.append(makeEntries(6, 5), say('waiting'))
  store.close(say('group'))
  await expect(written((done) => storage.close(done))).rejects.toMatchObject({
    code: 'IO',
    message: expect.stringMatching(/has not answered for 200 ms while closing/),
  })
  expect(outcomes.toSorted()).toEqual(['group IO', 'under way IO', 'waiting IO'])
  other.close()
})

test('a group closes in time though the disk does not answer; what waits longer may still be done', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir, closeTimeoutMs: 200 })
  const { store } = await openStore(storage, 'g')
  const other = occupy(dataDir)
  const appended = written((done) => store.append(makeEntries(1, 5), done))
  await expect(written((done) => store.close(done))).rejects.toMatchObject({
    code: 'IO',
    message: expect.stringMatching(/has not answered for 200 ms while closing group g/),
  })
  other.exec('ROLLBACK')
  await appended
  await written((done) => storage.close(done))
})

const onLinux = process.platform === 'linux'

test.each([
  ...(onLinux ? ['/proc/quorate', '/proc/quorate/below/that', '/sys/quorate'] : []),
  '/dev/null',
  '/dev/null/below',
])('a directory that cannot be created (%s) is refused at once', async (dataDir) => {
  const startMs = performance.now()
  await expect(openSqliteStorage({ dataDir, hostId: 'n1' })).rejects.toMatchObject({
    code: 'IO',
    message: expect.stringContaining(`Data directory ${dataDir} cannot be created`),
  })
  expect(performance.now() - startMs).toBeLessThan(5000)
})

test('a name on the way that is a file is refused, and two that create the same directories do not disturb each other', async () => {
  const root = temporaryDirectory()
  writeFileSync(join(root, 'file'), '')
  await expect(
    openSqliteStorage({ dataDir: join(root, 'file', 'a', 'b'), hostId: 'n1' }),
  ).rejects.toMatchObject({
    code: 'IO',
  })
  mkdirSync(join(root, 'shared'))
  const dirs = ['a', 'b', 'c'].map((name) => join(root, 'shared', 'deep', 'er', name))
  await Promise.all(dirs.map((dataDir) => sqliteStorage({ dataDir })))
})

test('a disk that takes long to write is named', async () => {
  const dataDir = temporaryDirectory()
  const lines: [LogFields, string][] = []
  let told = (): void => {}
  const said = new Promise<void>((resolve) => {
    told = resolve
  })
  const warn = (fields: LogFields, message: string): void => {
    lines.push([fields, message])
    told()
  }
  const storage = await sqliteStorage({ dataDir, logger: { ...silentLogger, warn } })
  const { store } = await openStore(storage, 'g')
  const stranger = occupy(dataDir)
  setTimeout(() => stranger.exec('ROLLBACK'), 700)
  await written((done) => store.append(makeEntries(1, 1), done))
  await said
  const [[fields, message] = [{}, '']] = lines
  expect(fields).toMatchObject({ dataDir, worstMs: fields.tookMs, leftOut: 0 })
  expect(fields.tookMs).toBeGreaterThanOrEqual(500)
  expect(message).toBe(
    `The disk of ${dataDir} took ${fields.tookMs} ms to write: what waits for it here waits as long.`,
  )
})

test('of slow writes one is told in ten seconds, with the worst of those that were left out', () => {
  const said: LogFields[] = []
  const report = new DiskReport({ ...silentLogger, warn: (fields) => void said.push(fields) }, '/data')
  const look = (tookMs: number, nowMs: number): LogFields[] => {
    report.wrote(tookMs, nowMs)
    return said.splice(0)
  }
  expect(look(499, 0)).toEqual([])
  expect(look(500, 1000)).toMatchObject([{ dataDir: '/data', tookMs: 500, worstMs: 500, leftOut: 0 }])
  expect(look(900, 5000)).toEqual([])
  expect(look(700, 10_999)).toEqual([])
  expect(look(600, 11_000)).toMatchObject([{ tookMs: 600, worstMs: 900, leftOut: 2 }])
  expect(look(600, 21_000)).toMatchObject([{ worstMs: 600, leftOut: 0 }])
})
