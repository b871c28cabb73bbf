// A disk that gives back something else than it was given.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { fetched, makeEntries, openStore, readAll, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const POSITION = (index: number): string => `(1 << 48 | ${index})`
const EVERYTHING = { maxEntries: 10_000, maxBytes: 1e9 }

/** A closed directory with group `g`: 500 entries of terms 1 to 3, a vote; then `sql` is carried out on it. */
async function damaged(sql: string): Promise<string> {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  const terms = [...makeEntries(1, 100, 1), ...makeEntries(101, 100, 2), ...makeEntries(201, 300, 3)]
  store.append(terms, () => {})
  store.saveHardState({ term: 3, votedFor: 'n2' }, () => {})
  await written((done) => storage.close(done))
  const db = new Database(join(dataDir, 'quorate.db'))
  db.exec(sql)
  db.close()
  return dataDir
}

test.each([
  [
    'data',
    `UPDATE log_entries SET data = CAST(x'00' || substr(data, 2) AS BLOB) WHERE position = ${POSITION(300)}`,
  ],
  ['type', `UPDATE log_entries SET type = 1 WHERE position = ${POSITION(300)}`],
  ['impossible type', `UPDATE log_entries SET type = 77 WHERE position = ${POSITION(300)}`],
  ['term', `UPDATE log_entries SET term = 4 WHERE position = ${POSITION(300)}`],
  ['huge term', `UPDATE log_entries SET term = 9007199254740993 WHERE position = ${POSITION(300)}`],
  ['checksum', `UPDATE log_entries SET checksum = checksum + 1 WHERE position = ${POSITION(300)}`],
  [
    'place',
    `DELETE FROM log_entries WHERE position = ${POSITION(300)};
     INSERT INTO log_entries SELECT ${POSITION(300)}, term, type, checksum, data FROM log_entries WHERE position = ${POSITION(299)}`,
  ],
])('an entry with a wrong %s is never handed out', async (_what, sql) => {
  const storage = await sqliteStorage({ dataDir: await damaged(sql) })
  const opened = await openStore(storage, 'g').catch((error: unknown) => error)
  // The search for term borders may come across the entry; if it does not, reading does.
  if (opened instanceof Error) {
    expect(opened).toMatchObject({ code: 'CORRUPT', message: expect.stringMatching(/group g .*300/) })
    return
  }
  const { store } = opened as Awaited<ReturnType<typeof openStore>>
  expect(store.read(290, { maxEntries: 10, maxBytes: 1e9 }).length).toBe(10)
  expect(() => store.read(290, EVERYTHING)).toThrow(/group g .*index 300/)
  expect(() => store.read(300, EVERYTHING)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
  expect(store.read(301, EVERYTHING).length).toBe(200)
  expect(await fetched(store, 290, { maxEntries: 10, maxBytes: 1e9 })).toMatchObject({ kind: 'entries' })
  const failed = {
    kind: 'failed',
    error: { code: 'CORRUPT', message: expect.stringMatching(/group g .*index 300/) },
  }
  expect(await fetched(store, 290, EVERYTHING)).toMatchObject(failed)
  expect(await fetched(store, 300, EVERYTHING)).toMatchObject(failed)
  expect(await fetched(store, 301, EVERYTHING)).toMatchObject({ kind: 'entries' })
})

test.each([100, 101, 200, 201, 500])(
  'damage at a term border (index %i) stops the opening',
  async (index) => {
    for (const column of ['term = term + 1', 'term = term - 1', 'checksum = 0']) {
      const dataDir = await damaged(`UPDATE log_entries SET ${column} WHERE position = ${POSITION(index)}`)
      await expect(openStore(await sqliteStorage({ dataDir }), 'g')).rejects.toMatchObject({
        code: 'CORRUPT',
        message: expect.stringMatching(/group g/),
      })
    }
  },
)

test.each([
  [1, 'the first'],
  [77, 'one between'],
  [256, 'the last of the first step of the scan'],
  [257, 'the first of its second step'],
  [499, 'the last but one'],
])('a missing entry (%i, %s) stops the opening and is named', async (index) => {
  const dataDir = await damaged(`DELETE FROM log_entries WHERE position = ${POSITION(index)}`)
  await expect(openStore(await sqliteStorage({ dataDir }), 'g')).rejects.toMatchObject({
    code: 'CORRUPT',
    message: expect.stringMatching(new RegExp(`group g .*index ${index} is missing`)),
  })
})

test('an entry that disappears while the log is open is missed, at the end of the log too', async () => {
  const dataDir = await damaged('')
  const { store } = await openStore(await sqliteStorage({ dataDir }), 'g')
  const db = new Database(join(dataDir, 'quorate.db'))
  db.exec(`DELETE FROM log_entries WHERE position IN (${POSITION(50)}, ${POSITION(500)})`)
  db.close()
  expect(() => store.read(40, EVERYTHING)).toThrow(/index 50 is missing/)
  expect(() => store.read(50, EVERYTHING)).toThrow(/index 50 is missing/)
  expect(() => store.read(500, EVERYTHING)).toThrow(/index 500 is missing/)
  for (const [from, index] of [
    [40, 50],
    [50, 50],
    [500, 500],
  ] as const) {
    const error = { code: 'CORRUPT', message: expect.stringContaining(`index ${index} is missing`) }
    expect(await fetched(store, from, EVERYTHING)).toMatchObject({ kind: 'failed', error })
  }
  expect(() => store.read(490, EVERYTHING)).toThrow(/index 500 is missing/)
})

test.each([
  ['vote', 'UPDATE meta SET voted_for = NULL'],
  ['vote for another', "UPDATE meta SET voted_for = 'n3'"],
  ['term', 'UPDATE meta SET term = 2'],
  ['whole hard state', 'UPDATE meta SET term = NULL, voted_for = NULL'],
  ['first index', 'UPDATE meta SET first_index = 2'],
  ['group number', 'UPDATE meta SET group_number = 2'],
  ['name', "UPDATE meta SET group_name = 'h'"],
  ['record: it is gone', 'DELETE FROM meta'],
])('a damaged meta record (%s) is never taken for "term 0, no vote"', async (_what, sql) => {
  const storage = await sqliteStorage({ dataDir: await damaged(sql) })
  await expect(openStore(storage, 'g')).rejects.toMatchObject({
    code: 'CORRUPT',
    message: expect.stringMatching(/meta record/),
  })
})

test('damage in one group leaves the others usable', async () => {
  const dataDir = await damaged('')
  const before = await sqliteStorage({ dataDir })
  const other = await openStore(before, 'other')
  await written((done) => other.store.append(makeEntries(1, 5), done))
  await written((done) => before.close(done))
  const db = new Database(join(dataDir, 'quorate.db'))
  db.exec("UPDATE meta SET term = 1 WHERE group_name = 'g'")
  db.close()
  const storage = await sqliteStorage({ dataDir })
  await expect(openStore(storage, 'g')).rejects.toMatchObject({ code: 'CORRUPT' })
  const { store } = await openStore(storage, 'other')
  await written((done) => store.append(makeEntries(6, 5), done))
  expect(readAll(store, 1).length).toBe(10)
})

test('an entry of another group in the same place is not taken for ours, not even an empty one', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const [a, b] = [await openStore(storage, 'a'), await openStore(storage, 'b')]
  const empty = makeEntries(1, 3).map((entry) => ({ ...entry, data: new Uint8Array(0) }))
  await written((done) => a.store.append(empty, done))
  await written((done) => b.store.append(empty, done))
  await written((done) => storage.close(done))
  const db = new Database(join(dataDir, 'quorate.db'))
  db.exec(
    'UPDATE log_entries SET checksum = (SELECT checksum FROM log_entries WHERE position = (2 << 48 | 2)) WHERE position = (1 << 48 | 2)',
  )
  db.close()
  const { store } = await openStore(await sqliteStorage({ dataDir }), 'a')
  expect(() => store.read(2, EVERYTHING)).toThrow(/group a .*index 2/)
})

test('a bit that flips inside the file is found', async () => {
  const dataDir = await damaged('')
  const file = join(dataDir, 'quorate.db')
  const bytes = readFileSync(file)
  const at = bytes.indexOf('entry 333 of term')
  expect(at).toBeGreaterThan(0)
  bytes.writeUInt8(bytes.readUInt8(at + 3) ^ 0x10, at + 3)
  writeFileSync(file, bytes)
  const { store } = await openStore(await sqliteStorage({ dataDir }), 'g')
  expect(() => store.read(300, EVERYTHING)).toThrow(/group g .*index 333/)
})

test('zeroed pages never lead to wrong entries', async () => {
  const pristine = readFileSync(join(await damaged(''), 'quorate.db'))
  const expected = [...makeEntries(1, 100, 1), ...makeEntries(101, 100, 2), ...makeEntries(201, 300, 3)]
  for (let page = 1; page < pristine.length / 4096; page++) {
    const dataDir = temporaryDirectory()
    const bytes = Buffer.from(pristine)
    bytes.fill(0, page * 4096, (page + 1) * 4096)
    writeFileSync(join(dataDir, 'quorate.db'), bytes)
    const outcome = await sqliteStorage({ dataDir })
      .then(async (storage) => readAll((await openStore(storage, 'g')).store, 1))
      .catch((error: unknown) => error)
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'StorageError', code: 'CORRUPT' })
    else expect(outcome).toEqual(expected)
  }
})
