// One group taken out of a data directory: nothing of it stays, everything of others does, wherever it is broken off.

import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { SNAPSHOT_CHUNK_BYTES } from '../../src/storage/snapshot-store.ts'
import { GroupRemoval } from '../../src/storage/sqlite/group-removal.ts'
import { contents, openSnapshots, publish, someBytes } from '../../src/testing/snapshot-support.ts'
import { makeEntries, openStore, written } from '../../src/testing/storage-conformance.ts'
import { sqliteStorage, temporaryDirectory } from './support.ts'

const MIB = 1024 * 1024
/** 80 MiB, more than one step removes. */
const LARGE = someBytes(80 * MIB)
const STATE = { state: someBytes(SNAPSHOT_CHUNK_BYTES + 1, 5) }
const VOTED = { term: 3, votedFor: 'n2' }

/** One group that goes between two others, by name and by age, with logs, votes and snapshots. */
async function threeGroups(files = STATE): Promise<string> {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  for (const group of ['before', 'going', 'later']) {
    const { store } = await openStore(storage, group)
    await written((done) => store.append(makeEntries(1, 200), done))
    await written((done) => store.saveHardState(VOTED, done))
    await publish(await openSnapshots(storage, group), 150, group === 'going' ? files : STATE)
  }
  await written((done) => storage.close(done))
  return dataDir
}

/** Thousands of bytes are compared faster so. */
function digestOf(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : createHash('sha256').update(bytes).digest('hex')
}

async function stateOf(dataDir: string, group: string) {
  const storage = await sqliteStorage({ dataDir })
  const { store, stored } = await openStore(storage, group)
  const snapshots = await openSnapshots(storage, group)
  const state = {
    ...{ lastIndex: stored.lastIndex, hardState: stored.hardState, identity: stored.identity },
    entries: store.read(1, { maxEntries: 1000, maxBytes: MIB }).length,
    snapshot: snapshots.newest?.meta.lastIncludedIndex ?? null,
    files: snapshots.newest === null ? null : digestOf((await contents(snapshots)).state),
  }
  await written((done) => storage.close(done))
  return state
}

/** Carries out so many steps, then lets go as a process that is killed does. Returns whether it was all of it. */
function removeUpTo(dataDir: string, steps: number): boolean {
  const removal = new GroupRemoval(dataDir)
  try {
    const work = removal.remove('going')
    for (let step = 0; step < steps; step++) if (work.next().done === true) return true
    return false
  } finally {
    removal.close()
  }
}

/** What the files hold of whom, row by row. */
function rows(dataDir: string) {
  const log = new Database(join(dataDir, 'quorate.db'), { readonly: true })
  const snapshots = new Database(join(dataDir, 'snapshots.db'), { readonly: true })
  const count = (db: Database.Database, table: string): unknown =>
    db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
  const found = {
    ...{ meta: count(log, 'meta'), entries: count(log, 'log_entries'), identities: count(log, 'identities') },
    ...{ snapshots: count(snapshots, 'snapshots'), files: count(snapshots, 'files') },
    ...{ contents: count(snapshots, 'contents'), chunks: count(snapshots, 'chunks') },
    digests: count(snapshots, 'chunk_digests'),
  }
  log.close()
  snapshots.close()
  return found
}

const OF_TWO = {
  ...{ meta: 2, entries: 400, identities: 2, snapshots: 2 },
  ...{ files: 2, contents: 2, chunks: 4, digests: 4 },
}

test('nothing of the group stays, and the others keep every byte', async () => {
  const dataDir = await threeGroups()
  const before = [await stateOf(dataDir, 'before'), await stateOf(dataDir, 'later')]
  expect(removeUpTo(dataDir, 1000)).toBe(true)
  expect(rows(dataDir)).toEqual(OF_TWO)
  expect([await stateOf(dataDir, 'before'), await stateOf(dataDir, 'later')]).toEqual(before)
  expect(before[0]).toMatchObject({ entries: 200, hardState: VOTED, snapshot: 150 })
})

test('a group of the same name begins anew, under another identity', async () => {
  const dataDir = await threeGroups()
  const { identity } = await stateOf(dataDir, 'going')
  removeUpTo(dataDir, 1000)
  const anew = await stateOf(dataDir, 'going')
  expect(anew).toMatchObject({ lastIndex: 0, hardState: null, entries: 0, snapshot: null })
  expect(anew.identity).not.toBe(identity)
})

describe('a removal that is broken off', () => {
  test('at any step leaves the others whole, and is finished by the next one', {
    timeout: 120_000,
  }, async () => {
    const states: unknown[] = []
    for (let steps = 1; ; steps++) {
      const dataDir = await threeGroups({ state: LARGE })
      const isWhole = removeUpTo(dataDir, steps)
      if (isWhole) break
      const removal = new GroupRemoval(dataDir)
      // Until the last step it says what it is; afterwards there is nothing to ask.
      const isThere = removal.groups.includes('going')
      states.push(isThere ? [removal.look('going').stored.lastIndex, removal.look('going').snapshot] : 'gone')
      removal.close()
      if (isThere) expect(removeUpTo(dataDir, 1000)).toBe(true)
      // What was cut off after the last row is space only, which the next member to start gives back.
      expect(rows(dataDir)).toEqual(OF_TWO)
      expect(await stateOf(dataDir, 'before')).toMatchObject({
        entries: 200,
        hardState: VOTED,
        snapshot: 150,
      })
      expect(await stateOf(dataDir, 'later')).toMatchObject({ entries: 200, hardState: VOTED, snapshot: 150 })
    }
    // The snapshot goes first, its bytes in two steps; then the log, all at once.
    expect(states).toEqual([[200, null], [200, null], [200, null], 'gone'])
  })
})

test('the space is given back to the file system', async () => {
  const dataDir = await threeGroups({ state: LARGE })
  const size = () => statSync(join(dataDir, 'snapshots.db')).size
  expect(size()).toBeGreaterThan(80 * MIB)
  const removal = new GroupRemoval(dataDir)
  const before = removal.bytes
  for (const _ of removal.remove('going'));
  expect(before - removal.bytes).toBeGreaterThan(80 * MIB)
  removal.close()
  expect(size()).toBeLessThan(4 * MIB)
  expect(existsSync(join(dataDir, 'quorate.db-wal'))).toBe(false)
})

test('the space of a log is given back, too', async () => {
  const dataDir = temporaryDirectory()
  const storage = await sqliteStorage({ dataDir })
  const { store } = await openStore(storage, 'going')
  const data = someBytes(MIB)
  const entries = makeEntries(1, 20).map((entry) => ({ ...entry, data }))
  await written((done) => store.append(entries, done))
  await written((done) => storage.close(done))
  removeUpTo(dataDir, 1000)
  expect(statSync(join(dataDir, 'quorate.db')).size).toBeLessThan(MIB)
})

describe('is refused', () => {
  const refusal = (work: () => unknown): unknown => {
    try {
      return work()
    } catch (error) {
      return error
    }
  }

  test('while a process has the directory', async () => {
    const dataDir = await threeGroups()
    const storage = await sqliteStorage({ dataDir })
    expect(refusal(() => new GroupRemoval(dataDir))).toMatchObject({ code: 'LOCKED' })
    await written((done) => storage.close(done))
  })

  test('where there are no files, and leaves none', () => {
    const dataDir = temporaryDirectory()
    expect(refusal(() => new GroupRemoval(dataDir))).toMatchObject({ code: 'IO' })
    expect(existsSync(join(dataDir, 'quorate.lock'))).toBe(false)
  })

  test('for a group that is not there', async () => {
    const dataDir = await threeGroups()
    const removal = new GroupRemoval(dataDir)
    const error = refusal(() => [...removal.remove('gone')])
    removal.close()
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringContaining('before, going, later') })
  })

  test('for a group whose record is damaged: nobody knows which entries are its own', async () => {
    const dataDir = await threeGroups()
    const db = new Database(join(dataDir, 'quorate.db'))
    db.exec("UPDATE meta SET group_number = 9 WHERE group_name = 'going'")
    db.close()
    const removal = new GroupRemoval(dataDir)
    const error = refusal(() => [...removal.remove('going')])
    removal.close()
    expect(error).toMatchObject({ code: 'CORRUPT' })
    expect(rows(dataDir)).toMatchObject({ entries: 600, snapshots: 3 })
  })
})
