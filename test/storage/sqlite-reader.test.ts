// Another program reads the database for a while: the write-ahead log cannot shrink. That is said while it lasts, and
// afterwards the log goes back to its size.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { formatStatus } from '../../src/cli/status/rows.ts'
import type { LogFields, Logger } from '../../src/runtime/logger.ts'
import { DiskReport } from '../../src/storage/sqlite/disk-report.ts'
import type { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts'
import { KEPT_BYTES_BEYOND_LIMIT } from '../../src/storage/sqlite/write-ahead-log.ts'
import type { GroupStore } from '../../src/storage/storage.ts'
import { makeEntries, openStore, written } from '../../src/testing/storage-conformance.ts'
import { FakeNode } from '../client/fake-node.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const MIB = 1024 * 1024
const MAX_WAL_BYTES = MIB / 4

function listeningLogger(lines: string[]): Logger {
  const take = (level: string) => (_fields: LogFields, message: string) =>
    void lines.push(`${level} ${message}`)
  return { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') }
}

class Scene {
  readonly lines: string[] = []
  readonly dataDir = temporaryDirectory()
  #next = 1

  async start(): Promise<{ storage: SqliteStorage; store: GroupStore }> {
    const { dataDir, lines } = this
    const storage = await sqliteStorage({
      dataDir,
      maxWalBytes: MAX_WAL_BYTES,
      logger: listeningLogger(lines),
    })
    const { store } = await openStore(storage, 'g')
    return { storage, store }
  }

  get walBytes(): number {
    return statSync(join(this.dataDir, 'quorate.db-wal')).size
  }

  async write(store: GroupStore, megabytes: number): Promise<void> {
    for (let kilobytes = 0; kilobytes < megabytes * 1000; kilobytes += 500, this.#next += 500) {
      const data = new Uint8Array(1000)
      const entries = makeEntries(this.#next, 500).map((entry) => ({ ...entry, data }))
      await written((done) => store.append(entries, done))
    }
  }

  /** Reads as another program would, until the function it returns is called. */
  read(): () => void {
    const db = new Database(join(this.dataDir, 'quorate.db'), { readonly: true })
    onTestFinished(() => void db.close())
    db.exec('BEGIN')
    db.prepare('SELECT count(*) FROM log_entries').get()
    return () => void db.exec('COMMIT')
  }
}

test('a reader that stays is named in status and log while it lasts; the log shrinks when it has gone, under load', async () => {
  const scene = new Scene()
  const { storage, store } = await scene.start()
  await scene.write(store, 1)
  expect(storage.diskStatus()).toMatchObject({ blockedByReaderMs: null })
  const stop = scene.read()
  await scene.write(store, 20)
  await expect.poll(() => storage.diskStatus().blockedByReaderMs, { timeout: 10_000 }).toBeGreaterThan(1000)
  expect(storage.diskStatus().walBytes).toBeGreaterThan(20 * 1000 * 1000)
  expect(
    scene.lines.filter((line) => /^warn Another program has been reading the database/.test(line)),
  ).toHaveLength(1)
  stop()
  // Any write may find the reader gone; those after it start over at the front of a file that is cut.
  await scene.write(store, 2)
  await expect
    .poll(() => scene.walBytes, { timeout: 10_000 })
    .toBeLessThanOrEqual(MAX_WAL_BYTES + KEPT_BYTES_BEYOND_LIMIT)
  await expect.poll(() => storage.diskStatus().blockedByReaderMs, { timeout: 10_000 }).toBe(null)
  await expect.poll(() => scene.lines.at(-1)).toMatch(/^info Nobody reads the database for long any more/)
})

test('the log shrinks when the reader has gone though nobody writes any more', async () => {
  const scene = new Scene()
  const { storage, store } = await scene.start()
  await scene.write(store, 1)
  const stop = scene.read()
  await scene.write(store, 15)
  await expect.poll(() => storage.diskStatus().blockedByReaderMs, { timeout: 10_000 }).toBeGreaterThan(0)
  expect(scene.walBytes).toBeGreaterThan(15 * 1000 * 1000)
  stop()
  await expect
    .poll(() => scene.walBytes, { timeout: 10_000 })
    .toBeLessThanOrEqual(MAX_WAL_BYTES + KEPT_BYTES_BEYOND_LIMIT)
  await expect
    .poll(() => storage.diskStatus(), { timeout: 10_000 })
    .toMatchObject({ blockedByReaderMs: null })
})

test('a reader that comes and goes is not worth a word', async () => {
  const scene = new Scene()
  const { storage, store } = await scene.start()
  for (let round = 0; round < 10; round++) {
    const stop = scene.read()
    await scene.write(store, 1)
    stop()
    await scene.write(store, 1)
  }
  expect(storage.diskStatus().blockedByReaderMs).toBe(null)
  expect(scene.lines).toEqual([])
})

test('is said again when the log has doubled, and once that it is over', () => {
  const lines: string[] = []
  const report = new DiskReport(listeningLogger(lines), '/data')
  for (const [walBytes, blockedByReaderMs] of [
    [1000, null],
    [10_000_000, 1000],
    [19_999_999, 2000],
    [20_000_000, 3000],
    [20_000_001, null],
    [20_000_001, null],
  ] as const) {
    report.take({ walBytes, databaseBytes: 0, blockedByReaderMs })
  }
  expect(lines.map((line) => line.match(/^\w+|[\d.]+ MB/g)?.join(' '))).toEqual([
    'warn 10.0 MB',
    'warn 20.0 MB',
    'info',
  ])
})

test('the command line says it under its table', () => {
  const healthy = { ...new FakeNode('n1').status(), id: 'n1', instance: 'i', version: null }
  const disk = { walBytes: 151_000_000, databaseBytes: 0, blockedByReaderMs: 12_300 }
  const members = [
    healthy,
    { ...healthy, id: 'n2', disk },
    { ...healthy, id: 'n3', disk: { ...disk, blockedByReaderMs: null } },
  ]
  const text = formatStatus({ group: 'g', leader: 'n1', members, unreachable: [], clocks: [] }, [])
  expect(text.split('\n').filter((line) => line.includes('another program'))).toEqual([
    expect.stringMatching(/^n2: .* for 12 s; .* 151\.0 MB/),
  ])
})
