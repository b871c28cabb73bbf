// Whose directory is it, and may I use it?

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { makeEntries, openStore, readAll, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const CHILD = fileURLToPath(new URL('./fixtures/append-forever.mjs', import.meta.url))

function startChild(dataDir: string, mode: 'hold' | 'append'): ChildProcess {
  const child = spawn(process.execPath, [CHILD, dataDir, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function edit(dataDir: string, sql: string): void {
  const db = new Database(join(dataDir, 'quorate.db'))
  db.exec(sql)
  db.close()
}

async function writeSome(dataDir: string): Promise<void> {
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  await written((done) => store.append(makeEntries(1, 10), done))
  await written((done) => storage.close(done))
}

test('a second storage in the same process is refused until the first is closed', async () => {
  const dataDir = temporaryDirectory()
  const first = await sqliteStorage({ dataDir })
  await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringContaining(dataDir),
  })
  await written((done) => first.close(done))
  await sqliteStorage({ dataDir })
})

test('a second process is refused; kill -9 frees the directory', async () => {
  const dataDir = temporaryDirectory()
  const child = startChild(dataDir, 'hold')
  if (child.stdout === null) throw new Error('the child has no output')
  await once(child.stdout, 'data')
  await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({ code: 'LOCKED' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await sqliteStorage({ dataDir })
})

test('after kill -9 in the middle of writing, all that was acknowledged is there and nothing is missing between', async () => {
  const dataDir = temporaryDirectory()
  let appended = 0
  let term = 0
  for (const minimum of [300, 1500, 3000]) {
    const child = startChild(dataDir, 'append')
    let rest = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const value = Number(line.split(' ')[1])
        if (line.startsWith('appended')) appended = value
        else term = value
        if (appended > minimum) child.kill('SIGKILL')
      }
    })
    await once(child, 'close')
    const storage = await sqliteStorage({ dataDir })
    const { store, stored } = await openStore(storage, 'g')
    expect(stored.lastIndex).toBeGreaterThanOrEqual(appended)
    expect(stored.hardState?.term).toBeGreaterThanOrEqual(term)
    const entries = readAll(store, 1)
    expect(entries.length).toBe(stored.lastIndex)
    const wrong = entries.filter((entry) => new TextDecoder().decode(entry.data) !== `entry ${entry.index}`)
    expect(wrong).toEqual([])
    await written((done) => storage.close(done))
  }
})

test('destroy in the middle of writes and reads hears no late answer: the process lives on', async () => {
  for (let round = 0; round < 10; round++) {
    const storage = await sqliteStorage({ dataDir: temporaryDirectory() })
    const { store } = await openStore(storage, 'g')
    await written((done) => store.append(makeEntries(1, 100), done))
    // The thread for old entries takes its time to end, while the disk thread goes on answering.
    store.fetch(1, { maxEntries: 100, maxBytes: 1_000_000 }, () => {})
    for (let next = 101; next <= 120; next++) store.append(makeEntries(next, 1), () => {})
    // An answer that nobody waits for would be thrown where nobody catches it, and end this process.
    await storage.destroy()
  }
})

test('destroy frees the directory at once, keeps what was acknowledged, and calls nobody back', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'g')
  await written((done) => store.append(makeEntries(1, 10), done))
  let calls = 0
  for (let batch = 0; batch < 10; batch++) store.append(makeEntries(11 + 100 * batch, 100), () => calls++)
  await storage.destroy()
  const { stored } = await openStore(await sqliteStorage({ dataDir }), 'g')
  expect(stored.lastIndex).toBeGreaterThanOrEqual(10)
  expect(calls).toBe(0)
  await written((done) => storage.close(done))
})

test('the directory of another member is refused, and says whose it is', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  await expect(sqliteStorage({ dataDir, hostId: 'n2' })).rejects.toMatchObject({
    code: 'FOREIGN',
    message: expect.stringMatching(/belongs to member n1, not n2/),
  })
  await sqliteStorage({ dataDir })
})

test('a newer format is refused and left alone', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  edit(dataDir, 'UPDATE host SET format_version = 99')
  await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({
    code: 'VERSION',
    message: expect.stringContaining('99'),
  })
  edit(dataDir, 'UPDATE host SET format_version = 3')
  expect((await openStore(await sqliteStorage({ dataDir }), 'g')).stored.lastIndex).toBe(10)
})

test('an older format is brought up to the present one, and what is in it stays', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  edit(dataDir, 'DROP TABLE identities; DROP INDEX withheld_entries; UPDATE host SET format_version = 1')
  const storage = await sqliteStorage({ dataDir })
  const { stored } = await openStore(storage, 'g')
  expect(stored.lastIndex).toBe(10)
  expect(stored.identity).toBeGreaterThan(0)
})

test('a damaged identity is replaced: its files count as other files', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  const identityOf = async () => {
    const storage = await sqliteStorage({ dataDir })
    const { stored } = await openStore(storage, 'g')
    await written((done) => storage.close(done))
    return stored.identity
  }
  const before = await identityOf()
  expect(await identityOf()).toBe(before)
  edit(dataDir, 'UPDATE identities SET identity = identity + 1')
  expect([before, (before ?? 0) + 1]).not.toContain(await identityOf())
})

test.each([
  ['an impossible version', 'UPDATE host SET format_version = -1'],
  ['no host record', 'DELETE FROM host'],
  ['two host records', "INSERT INTO host VALUES ('n3', 1)"],
  ['no host table', 'DROP TABLE host'],
])('a database with %s is CORRUPT', async (_what, sql) => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  edit(dataDir, sql)
  await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({ code: 'CORRUPT' })
})

test('a file that is no database is CORRUPT and is not touched', async () => {
  const dataDir = temporaryDirectory()
  const file = join(dataDir, 'quorate.db')
  writeFileSync(file, 'these are not the bytes of a database'.repeat(300))
  const before = readFileSync(file)
  await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({
    code: 'CORRUPT',
    message: expect.stringMatching(/is not a database.*move the data directory away/),
  })
  expect(readFileSync(file).equals(before)).toBe(true)
})

test('a database cut short is refused', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  truncateSync(join(dataDir, 'quorate.db'), 4096)
  await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({ code: 'CORRUPT' })
})

test('a write-ahead log without its database is refused instead of beginning with nothing', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  rmSync(join(dataDir, 'quorate.db'))
  writeFileSync(join(dataDir, 'quorate.db-wal'), new Uint8Array(4152))
  await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({ code: 'CORRUPT' })
})

test('a directory that cannot be created or written is an IO error naming it', async () => {
  const file = join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  for (const dataDir of [file, join(file, 'below')]) {
    await expect(sqliteStorage({ dataDir })).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(dataDir),
    })
  }
})

test('missing directories are created; after a close only the database and the lock are left', async () => {
  const dataDir = join(temporaryDirectory(), 'a', 'b')
  await writeSome(dataDir)
  expect(readdirSync(dataDir).sort()).toEqual(['quorate.db', 'quorate.lock'])
})

test('the log can be read with the sqlite3 shell', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  const db = new Database(join(dataDir, 'quorate.db'), { readonly: true })
  const rows = db.prepare('SELECT group_name, "index", term, type, data FROM log WHERE "index" > 8').all()
  db.close()
  expect(rows).toEqual(
    makeEntries(9, 2).map(({ data, ...entry }) => ({ group_name: 'g', ...entry, data: Buffer.from(data) })),
  )
})

test('where entries are withheld is looked up, not searched for: a long log of data costs nothing', async () => {
  const dataDir = temporaryDirectory()
  await writeSome(dataDir)
  const db = new Database(join(dataDir, 'quorate.db'), { readonly: true })
  onTestFinished(() => void db.close())
  for (const order of ['', 'DESC']) {
    const sql = `SELECT position FROM log_entries WHERE position BETWEEN 1 AND 2 AND type = 4 ORDER BY position ${order} LIMIT 1`
    const plan = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all()
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('withheld_entries')])
  }
})
