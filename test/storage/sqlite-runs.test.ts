// Old entries that are read off the loop: many small ones at once, others one by one, and nobody can tell the difference.

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { EntryType, type LogEntry } from '../../src/rules/types.ts'
import { fetched, makeEntries, openStore, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const LARGE_BYTES = 5000

/** Bytes that are no text, of all sizes from none on. */
function commands(first: number, count: number, term: number, sizeOf: (index: number) => number): LogEntry[] {
  return makeEntries(first, count, term).map((entry) => ({
    ...entry,
    data: Uint8Array.from({ length: sizeOf(entry.index) }, (_, at) => (entry.index * 37 + at * 91) & 0xff),
  }))
}

const ENTRIES = [
  ...commands(1, 120, 2, (index) => index % 50),
  ...makeEntries(121, 2, 2, EntryType.CONFIGURATION),
  ...commands(123, 60, 2, () => 0),
  ...commands(183, 100, 5, (index) => index % 300),
  ...commands(283, 20, 5, () => LARGE_BYTES),
  ...commands(303, 98, 5, (index) => (index % 7 === 0 ? LARGE_BYTES : 10)),
]

const plain = ({ index, term, type, data }: LogEntry) => ({ index, term, type, data: [...data] })

test('what is fetched is what is read, wherever it begins and ends', async () => {
  const { store } = await openStore(await sqliteStorage({ dataDir: temporaryDirectory() }), 'g')
  await written((done) => store.append(ENTRIES, done))
  for (const from of [1, 2, 60, 119, 121, 125, 183, 240, 283, 300, 310, 400]) {
    for (const maxEntries of [1, 7, 70, 1000]) {
      for (const maxBytes of [1, 100, 3000, 12_000, 1e9]) {
        const result = await fetched(store, from, { maxEntries, maxBytes })
        const read = store.read(from, { maxEntries, maxBytes })
        expect(result.kind === 'entries' && result.entries.map(plain)).toEqual(read.map(plain))
      }
    }
  }
})

test('the last of many that is gone is missed', async () => {
  const dataDir = temporaryDirectory()
  const { store } = await openStore(await sqliteStorage({ dataDir }), 'g')
  await written((done) =>
    store.append(
      commands(1, 100, 1, () => 10),
      done,
    ),
  )
  const db = new Database(join(dataDir, 'quorate.db'))
  db.exec('DELETE FROM log_entries WHERE position = (1 << 48 | 100)')
  db.close()
  const error = { code: 'CORRUPT', message: expect.stringContaining('index 100 is missing') }
  expect(await fetched(store, 40)).toMatchObject({ kind: 'failed', error })
  expect(await fetched(store, 40, { maxEntries: 60, maxBytes: 100 })).toMatchObject({ kind: 'entries' })
})
