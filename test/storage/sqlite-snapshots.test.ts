// Snapshots on SQLite beyond what every storage has to do: damage, full disks, processes that are killed, and space.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { SNAPSHOT_CHUNK_BYTES } from '../../src/storage/snapshot-store.ts'
import type { Storage } from '../../src/storage/storage.ts'
import {
  answered,
  fetchMissing,
  metaAt,
  openSnapshots,
  publish,
  read,
  readFile,
  someBytes,
  startCopy,
  startReader,
  writeFile,
} from '../../src/testing/snapshot-support.ts'
import { makeEntries, openStore, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const CHUNK = SNAPSHOT_CHUNK_BYTES
const MIB = 1024 * 1024

function closed(storage: Storage): Promise<void> {
  return written((done) => storage.close(done))
}

/** Changes the file of snapshots while nobody has it open. */
function change(dataDir: string, sql: string): void {
  const db = new Database(join(dataDir, 'snapshots.db'))
  db.exec(sql)
  db.close()
}

/** A directory with snapshot 7 of group g and snapshot 1 of group other. */
async function directoryWithSnapshots(): Promise<string> {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  await publish(await openSnapshots(storage), 7, { a: someBytes(2 * CHUNK + 1), b: someBytes(9, 2) })
  await publish(await openSnapshots(storage, 'other'), 1, { c: someBytes(5, 3) })
  await closed(storage)
  return dataDir
}

test('a host without snapshots has no file for them', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const store = await openSnapshots(storage)
  expect(store.newest).toBe(null)
  await expect(startReader(store)).rejects.toMatchObject({ code: 'INVALID' })
  await written((done) => store.close(done))
  await openSnapshots(storage)
  expect(existsSync(join(dataDir, 'snapshots.db'))).toBe(false)
  await closed(storage)
  expect(existsSync(join(dataDir, 'snapshots.db'))).toBe(false)
})

test.each([
  ['its term is another', 'UPDATE snapshots SET last_included_term = 4'],
  ['its members are others', `UPDATE snapshots SET peers = '["n9"]'`],
  ['its state is none', "UPDATE snapshots SET state = 'x'"],
  ['a file is missing', "DELETE FROM files WHERE name = 'b'"],
  ['a file has another size', "UPDATE files SET bytes = bytes + 1 WHERE name = 'a'"],
  ['a file has another content', "UPDATE files SET content_id = 3 WHERE name = 'a'"],
  ['a file has another name', "UPDATE files SET name = 'z' WHERE name = 'b'"],
  ['a digest is another', 'UPDATE chunk_digests SET digest = zeroblob(32)'],
  ['a digest is missing', 'DELETE FROM chunk_digests WHERE bytes = 1'],
  [
    'there is another one that nobody wrote',
    'INSERT INTO snapshots SELECT 99, group_name, state, 8, last_included_term, peers, old_peers, identities, taken_at_ms, 0, checksum FROM snapshots',
  ],
])('damage to what is known of a snapshot (%s) is found when it is opened, and named', async (_what, sql) => {
  const dataDir = await directoryWithSnapshots()
  change(dataDir, `DELETE FROM snapshots WHERE group_name = 'other'; ${sql}`)
  const storage = await sqliteStorage({ dataDir })
  await expect(openSnapshots(storage)).rejects.toMatchObject({
    code: 'CORRUPT',
    message: expect.stringMatching(/^Snapshot [78] of group g is damaged: /),
  })
  expect((await openSnapshots(storage, 'third')).newest).toBe(null)
})

test.each([
  ['its bytes are others', 'UPDATE chunks SET data = zeroblob(length(data))'],
  ['it is missing', 'DELETE FROM chunks'],
])('a chunk that is damaged (%s) is found when it is read, named, and fetched anew', async (_what, sql) => {
  const dataDir = await directoryWithSnapshots()
  change(dataDir, `${sql} WHERE position IN (SELECT position FROM chunk_digests WHERE bytes = 1)`)
  const storage = await sqliteStorage({ dataDir })
  const store = await openSnapshots(storage)
  const { newest } = store
  if (newest === null) throw new Error('there is no snapshot')
  const reader = await startReader(store)
  expect((await read(reader, 'a', 0, CHUNK)).length).toBe(CHUNK)
  await expect(read(reader, 'a', 2 * CHUNK, 10)).rejects.toMatchObject({
    code: 'CORRUPT',
    message: 'Snapshot 7 of group g is damaged: chunk 2 of file a is missing or fails its checksum.',
  })
  const copy = await startCopy(store, newest)
  expect(copy.missing).toEqual([{ name: 'a', from: 0, to: 2 * CHUNK + 1 }])
  await fetchMissing(copy, { a: someBytes(2 * CHUNK + 1) })
  await answered((done) => copy.publish(done))
  const healed = await startReader(store)
  expect(Buffer.from(await readFile(healed, 'a')).equals(someBytes(2 * CHUNK + 1))).toBe(true)
})

test('a file that is no database, of another host or of a newer format is no reason to see no snapshot', async () => {
  const dataDir = await directoryWithSnapshots()
  const refusal = async (code: string): Promise<void> => {
    const storage = await sqliteStorage({ dataDir })
    await expect(openSnapshots(storage)).rejects.toMatchObject({ code })
    // The log has a file of its own.
    const { store } = await openStore(storage, 'g')
    await written((done) => store.append([], done))
    await closed(storage)
  }
  change(dataDir, "UPDATE host SET host_id = 'n2'")
  await refusal('FOREIGN')
  change(dataDir, "UPDATE host SET host_id = 'n1', format_version = 99")
  await refusal('VERSION')
  writeFileSync(
    join(dataDir, 'snapshots.db'),
    'this is no database, and long enough to be seen as none'.repeat(100),
  )
  await refusal('CORRUPT')
})

test('a full disk ends the save that it hits; the snapshot, the log and the next save do not suffer', async () => {
  const storage = await sqliteStorage({ maxSnapshotsBytes: 8 * MIB })
  const [store, { store: log }] = [await openSnapshots(storage), await openStore(storage, 'g')]
  const files = { a: someBytes(CHUNK + 1) }
  await publish(store, 1, files)
  const save = store.create(metaAt(2), 0)
  await expect(writeFile(save, 'large', someBytes(20 * MIB))).rejects.toMatchObject({ code: 'FULL' })
  await expect(answered((done) => save.publish(done))).rejects.toMatchObject({ code: 'FULL' })
  await written((done) => log.append(makeEntries(1, 3), done))
  expect(store.newest?.meta.lastIncludedIndex).toBe(1)
  const reader = await startReader(store)
  expect(Buffer.from(await readFile(reader, 'a')).equals(files.a)).toBe(true)
  reader.close()
  await written((done) => save.discard(done))
  await publish(store, 3, { b: someBytes(3 * MIB, 2) })
  expect(store.newest?.meta.lastIncludedIndex).toBe(3)
})

test('a save of another group whose bytes went down with it ends, too, and is not published with holes', async () => {
  const storage = await sqliteStorage({ maxSnapshotsBytes: 8 * MIB })
  const [store, other] = [await openSnapshots(storage, 'a'), await openSnapshots(storage, 'b')]
  const save = store.create(metaAt(1), 0)
  await written((done) => save.write('a', someBytes(2 * MIB), done))
  await expect(publish(other, 1, { b: someBytes(20 * MIB) })).rejects.toMatchObject({ code: 'FULL' })
  save.endFile('a', null, () => {})
  await expect(answered((done) => save.publish(done))).rejects.toMatchObject({ code: 'FULL' })
  expect(store.newest).toBe(null)
})

test('a full disk ends a copy; what was durable of it is there when there is space again', async () => {
  const dataDir = temporaryDirectory()
  const large = { a: someBytes(40 * MIB) }
  const elsewhere = await sqliteStorage()
  const record = await publish(await openSnapshots(elsewhere), 5, large)
  const small = await sqliteStorage({ dataDir, maxSnapshotsBytes: 24 * MIB })
  const copy = await startCopy(await openSnapshots(small), record)
  await expect(fetchMissing(copy, large)).rejects.toMatchObject({ code: 'FULL' })
  await expect(answered((done) => copy.publish(done))).rejects.toMatchObject({ code: 'FULL' })
  await closed(small)
  const roomy = await sqliteStorage({ dataDir })
  const again = await startCopy(await openSnapshots(roomy), record)
  expect(again.presentBytes).toBeGreaterThanOrEqual(16 * MIB)
  await fetchMissing(again, large)
  await answered((done) => again.publish(done))
})

test('a copy goes on after the process was killed, and the save that was under way is as if it never was', async () => {
  const dataDir = temporaryDirectory()
  const files = { a: someBytes(48 * MIB) }
  const elsewhere = await sqliteStorage()
  const record = await publish(await openSnapshots(elsewhere), 5, files)
  const fixture = fileURLToPath(new URL('./fixtures/copy-forever.mjs', import.meta.url))
  const child = spawn(process.execPath, [fixture, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.end(JSON.stringify(record, (_key, value) => (value instanceof Uint8Array ? [...value] : value)))
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === `put ${40 * MIB}`) child.kill('SIGKILL')
  }
  if (child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  const storage = await sqliteStorage({ dataDir })
  const store = await openSnapshots(storage)
  expect(store.newest?.meta.lastIncludedIndex).toBe(1)
  const copy = await startCopy(store, record)
  expect(copy.presentBytes).toBeGreaterThanOrEqual(24 * MIB)
  expect(copy.presentBytes).toBeLessThan(48 * MIB)
  await fetchMissing(copy, files)
  await answered((done) => copy.publish(done))
  const reader = await startReader(store)
  expect(Buffer.from(await readFile(reader, 'a', MIB)).equals(files.a)).toBe(true)
})

test('nothing is published into a file that is not there any more', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const store = await openSnapshots(storage)
  await publish(store, 1, { a: someBytes(5) })
  renameSync(join(dataDir, 'snapshots.db'), join(dataDir, 'elsewhere.db'))
  await expect(publish(store, 2, { a: someBytes(6) })).rejects.toMatchObject({
    code: 'GONE',
    message: expect.stringContaining('snapshots.db is not there any more'),
  })
  expect(store.newest?.meta.lastIncludedIndex).toBe(1)
  const { store: log } = await openStore(storage, 'g')
  await written((done) => log.append(makeEntries(1, 3), done))
})

test('the file does not grow with every snapshot, and gives space back when snapshots become small', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const store = await openSnapshots(storage)
  const size = (): number => statSync(join(dataDir, 'snapshots.db')).size
  for (let index = 1; index <= 6; index++) await publish(store, index, { a: someBytes(24 * MIB, index) })
  // The old one, the new one, and what had not been removed yet when it was needed.
  expect(size()).toBeLessThan(3 * 24 * MIB)
  await publish(store, 7, { a: someBytes(1000) })
  await expect.poll(size, { timeout: 10_000 }).toBeLessThan(18 * MIB)
  const reader = await startReader(store)
  expect(Buffer.from(await readFile(reader, 'a')).equals(someBytes(1000))).toBe(true)
})

test('whatever is under way when the storage is destroyed, the snapshot before it can be read afterwards', async () => {
  const dataDir = await directoryWithSnapshots()
  const storage = await sqliteStorage({ dataDir })
  const store = await openSnapshots(storage)
  const save = store.create(metaAt(8), 0)
  for (let i = 0; i < 40; i++) save.write('x', someBytes(CHUNK), () => {})
  save.endFile('x', null, () => {})
  save.publish(() => {})
  await storage.destroy()
  const again = await openSnapshots(await sqliteStorage({ dataDir }))
  const reader = await startReader(again)
  const [file] = reader.record.files
  expect([7, 8]).toContain(reader.record.meta.lastIncludedIndex)
  expect((await readFile(reader, file?.name ?? '')).length).toBe(file?.bytes)
})

test('bytes change hands and are not copied when they have their memory for themselves', async () => {
  const files = { a: someBytes(CHUNK) }
  const record = await publish(await openSnapshots(await sqliteStorage()), 5, files)
  const store = await openSnapshots(await sqliteStorage())
  const save = store.create(metaAt(1), 0)
  const copy = await startCopy(store, record)
  const [whole, part, chunk] = [files.a.slice(), someBytes(2 * CHUNK).subarray(0, CHUNK), files.a.slice()]
  const taken = [
    written((done) => save.write('whole', whole, done)),
    written((done) => save.write('part', part, done)),
    written((done) => copy.write('a', 0, chunk, done)),
  ]
  expect([whole.length, part.length, chunk.length]).toEqual([0, CHUNK, 0])
  await Promise.all(taken)
})

test('a file of snapshots that cannot be opened is tried again with the next call', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const store = await openSnapshots(storage)
  mkdirSync(join(dataDir, 'snapshots.db'))
  await expect(publish(store, 1, { a: someBytes(5) })).rejects.toMatchObject({ code: 'IO' })
  rmdirSync(join(dataDir, 'snapshots.db'))
  expect((await publish(store, 2, { a: someBytes(5) })).bytes).toBe(5)
})

test('a storage that is closed keeps what came of a copy that was not paused', async () => {
  const dataDir = temporaryDirectory()
  const files = { a: someBytes(3 * CHUNK) }
  const record = await publish(await openSnapshots(await sqliteStorage()), 5, files)
  const storage = await sqliteStorage({ dataDir })
  await fetchMissing(await startCopy(await openSnapshots(storage), record), files, 2)
  await closed(storage)
  const again = await startCopy(await openSnapshots(await sqliteStorage({ dataDir })), record)
  expect(again.presentBytes).toBe(2 * CHUNK)
})
