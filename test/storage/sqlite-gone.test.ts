// Files that are taken away while they are written to: the operating system goes on taking writes, nobody could ever
// open what they lead to.

import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FILES_TRUSTED_MS } from '../../src/storage/sqlite/disk.ts'
import type { StorageError } from '../../src/storage/storage.ts'
import { makeEntries, openStore, readAll, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const LOSSES: readonly (readonly [what: string, lose: (dataDir: string) => void])[] = [
  ['the directory is removed', (dataDir) => rmSync(dataDir, { recursive: true })],
  ['the directory is renamed', (dataDir) => renameSync(dataDir, `${dataDir}-old`)],
  [
    'the directory is replaced by an empty one',
    (dataDir) => {
      renameSync(dataDir, `${dataDir}-old`)
      mkdirSync(dataDir)
    },
  ],
  ['the database is removed', (dataDir) => rmSync(join(dataDir, 'quorate.db'))],
  ['the database is replaced by a copy of itself', (dataDir) => replace(join(dataDir, 'quorate.db'))],
  ['the write-ahead log is removed', (dataDir) => rmSync(join(dataDir, 'quorate.db-wal'))],
  ['the write-ahead log is replaced', (dataDir) => replace(join(dataDir, 'quorate.db-wal'))],
]
/** What keeps others out. What was acknowledged is found without it, so that it is looked for less often. */
const LOST_GUARDS: typeof LOSSES = [
  ['the shared memory is removed', (dataDir) => rmSync(join(dataDir, 'quorate.db-shm'))],
  ['the lock is removed', (dataDir) => rmSync(join(dataDir, 'quorate.lock'))],
]

function replace(file: string): void {
  copyFileSync(file, `${file}-copy`)
  renameSync(`${file}-copy`, file)
}

test.each(LOSSES)('when %s, writes are not acknowledged any more', async (_what, lose) => {
  const dataDir = join(temporaryDirectory(), 'data')
  const storage = await sqliteStorage({ dataDir })
  const a = await openStore(storage, 'a')
  const b = await openStore(storage, 'b')
  await written((done) => a.store.append(makeEntries(1, 10), done))
  lose(dataDir)
  const lostMs = performance.now()
  let next = 11
  let failure: unknown = null
  // Whatever is asked for when the look before the loss no longer counts has to fail.
  for (let isLate = false; failure === null; next++) {
    expect(isLate).toBe(false)
    isLate = performance.now() - lostMs > FILES_TRUSTED_MS
    failure = await written((done) => a.store.append(makeEntries(next, 1), done)).then(
      () => null,
      (error: unknown) => error,
    )
  }
  expect(failure).toMatchObject({ code: 'GONE', message: expect.stringContaining(dataDir) })
  await expect(
    written((done) => b.store.saveHardState({ term: 1, votedFor: 'n1' }, done)),
  ).rejects.toMatchObject({ code: 'GONE' })
  await expect(openStore(storage, 'c')).rejects.toMatchObject({ code: 'GONE' })
  expect(readAll(a.store, 1).length).toBe(next - 2)
})

test.each([...LOSSES, ...LOST_GUARDS])(
  'when %s, whoever writes nothing is told without asking',
  async (_what, lose) => {
    const dataDir = join(temporaryDirectory(), 'data')
    const storage = await sqliteStorage({ dataDir })
    const { store } = await openStore(storage, 'a')
    const told = new Promise<StorageError>((resolve) => store.onFailure(resolve))
    lose(dataDir)
    expect(await told).toMatchObject({ code: 'GONE' })
  },
)

test('a group that is created on files that are gone is not opened', async () => {
  const dataDir = join(temporaryDirectory(), 'data')
  const storage = await sqliteStorage({ dataDir })
  rmSync(dataDir, { recursive: true })
  // The first look since it was opened.
  await expect(openStore(storage, 'a')).rejects.toMatchObject({ code: 'GONE' })
})

test('closing on files that are gone ends, and leaves alone what has taken their place', async () => {
  const dataDir = join(temporaryDirectory(), 'data')
  const lost = await sqliteStorage({ dataDir })
  await openStore(lost, 'a')
  renameSync(dataDir, `${dataDir}-old`)
  const next = await sqliteStorage({ dataDir })
  const { store } = await openStore(next, 'a')
  await written((done) => store.append(makeEntries(1, 5), done))
  await written((done) => lost.close(done)).catch((error: unknown) =>
    expect(error).toMatchObject({ code: 'GONE' }),
  )
  await written((done) => store.append(makeEntries(6, 5), done))
  await next.destroy()
  expect((await openStore(await sqliteStorage({ dataDir }), 'a')).stored.lastIndex).toBe(10)
})
