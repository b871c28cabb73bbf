// The power goes, again and again, while snapshots are written: a published one is there afterwards, whole, and nothing
// of what was not asked for. POWER_CUTS=1000 cuts as often as that.

import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { SnapshotEngine } from '../../src/storage/snapshots/snapshot-engine.ts'
import { SnapshotDatabase } from '../../src/storage/sqlite/snapshots/snapshot-database.ts'
import { someBytes } from '../../src/testing/snapshot-support.ts'
import { DiskReplay, type Survives } from './power/replay.ts'
import { type DiskEvent, DiskTap, scratchDirectory } from './power/tap.ts'

const LOAD = fileURLToPath(new URL('./power/snapshots.mjs', import.meta.url))
const CUTS = Number(process.env.POWER_CUTS ?? 60)

function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

async function live(
  tap: DiskTap,
  snapshots: number,
  end: 'die' | 'close' | 'groups',
  faults = {},
): Promise<void> {
  const args = [LOAD, join(tap.root, 'data'), join(tap.root, 'notes'), String(snapshots), end]
  const { code, signal, stderr } = await tap.run(args, faults).ended
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`A life ended: ${stderr}`)
}

/** Index of the newest snapshot that is left, whose bytes are what they should be; 0: there is none. */
function newestIn(dataDir: string): number {
  const database = new SnapshotDatabase({ dataDir, hostId: 'n1', maxBytes: null })
  try {
    const engine = new SnapshotEngine(database.tables)
    const opened = engine.answer({ kind: 'open', call: { group: 'g' } })
    if (!opened.ok) throw opened.error
    if (opened.value === null) return 0
    const index = opened.value.meta.lastIncludedIndex
    engine.answer({ kind: 'openReader', call: { group: 'g', reader: 1 } })
    // As in power/snapshots.mjs.
    const files = { same: someBytes(1000), state: someBytes(300_000 + 100_000 * (index % 4), index) }
    for (const [name, data] of Object.entries(files)) {
      const call = { reader: 1, name, offset: 0, maxBytes: 1_000_000 }
      const read = engine.answer({ kind: 'read', call })
      if (!read.ok) throw read.error
      expect(Buffer.from(read.value).equals(data), `${name} of snapshot ${index}`).toBe(true)
    }
    while (engine.keepHouse());
    return index
  } finally {
    database.close()
  }
}

const WAYS: readonly ((random: () => number) => Survives)[] = [
  () => () => false,
  () => () => true,
  (random) => () => random() < 0.5,
  (random) => () => random() < 0.9,
  (random) => () => random() < 0.1,
]

/** What may be the newest snapshot, going by the notes. */
class Promises {
  published = 0
  asked = 0

  take(line: string): void {
    const [word, number] = line.trim().split(' ')
    const index = Number(number)
    if (word === 'found' && index < this.published)
      throw new Error(`A process found ${index} of ${this.published}.`)
    if (word === 'found' || word === 'published') this.published = index
    if (word === 'found' || word === 'asked') this.asked = index
  }
}

async function record(seed: number): Promise<DiskEvent[]> {
  const tap = new DiskTap()
  const random = generator(seed)
  for (let life = 0; life < 5; life++) {
    const faults = life % 3 === 2 ? {} : { killAtSync: 6 + Math.floor(random() * 60) }
    await live(tap, 6, life % 2 === 0 ? 'die' : 'close', faults)
  }
  return tap.events()
}

test(`after ${CUTS} cuts of power a published snapshot is there, or a later one that was asked for`, {
  timeout: 600_000,
}, async () => {
  const random = generator(CUTS)
  const perRecording = 60
  let cuts = 0
  for (let seed = 1; cuts < CUTS; seed++) {
    const events = await record(seed)
    const moments = new Set(
      Array.from({ length: perRecording / 2 }, () => Math.floor(random() * events.length)),
    )
    // Right after a promise is where breaking it shows.
    for (const [at, { path, data }] of events.entries()) {
      if (path === 'notes' && data.toString().startsWith('published')) moments.add(at)
    }
    const place = scratchDirectory()
    const replay = new DiskReplay()
    const promises = new Promises()
    for (const [at, event] of events.entries()) {
      if (event.path !== 'notes') replay.take(event)
      else if (event.type === 'write') promises.take(event.data.toString())
      if (!moments.has(at)) continue
      const survives = WAYS[cuts % WAYS.length]?.(random)
      if (survives === undefined) continue
      cuts++
      const root = join(place, String(at))
      replay.cutPower(root, survives)
      const dataDir = join(root, 'data')
      if (!existsSync(dataDir)) mkdirSync(dataDir)
      const newest = newestIn(dataDir)
      const where = `recording ${seed}, cut after event ${at} of ${events.length}: found ${newest}`
      expect(newest, where).toBeGreaterThanOrEqual(promises.published)
      expect(newest, where).toBeLessThanOrEqual(promises.asked)
      rmSync(root, { recursive: true })
    }
  }
})

/** The note, and what of the files of snapshots was not synced when it was written. */
function unsyncedAtNotes(
  events: readonly DiskEvent[],
): (readonly [note: string, unsynced: readonly string[]])[] {
  const unsynced = new Set<string>()
  const notes: [string, string[]][] = []
  for (const { type, path, data } of events) {
    if (path === 'notes') {
      if (type === 'write') notes.push([data.toString().trim(), [...unsynced]])
    } else if (type === 'sync' || type === 'unlink') unsynced.delete(path)
    else if (type !== 'create' && path.includes('snapshots.db')) unsynced.add(path)
  }
  return notes
}

test('a snapshot is called published when nothing of it is left to be synced, and writing costs few syncs', async () => {
  const tap = new DiskTap()
  await live(tap, 4, 'groups')
  const events = tap.events()
  const published = unsyncedAtNotes(events).filter(([note]) => note.startsWith('published'))
  expect(published.map(([, unsynced]) => unsynced)).toEqual([[], [], [], []])
  const syncs = events.filter(({ type, path }) => type === 'sync' && path.includes('snapshots.db'))
  expect(syncs.length).toBeGreaterThanOrEqual(4)
  // Four snapshots, the tables, and what is removed; each transaction takes four.
  expect(syncs.length).toBeLessThanOrEqual(60)
})

test('the disk begins with a large snapshot while more comes, so that the commit has little left to sync', async () => {
  const tap = new DiskTap()
  const args = [LOAD, join(tap.root, 'data'), join(tap.root, 'notes'), '1', 'groups', '15000000']
  expect((await tap.run(args).ended).code).toBe(0)
  const events = tap.events()
  let unsynced = 0
  let most = 0
  for (const { type, path, data } of events) {
    if (path !== 'data/snapshots.db') continue
    unsynced = type === 'sync' ? 0 : unsynced + data.length
    most = Math.max(most, unsynced)
  }
  // What the disk was told to begin with, and as much again from the cache.
  expect(most).toBeGreaterThan(1_000_000)
  expect(most).toBeLessThan(12_000_000)
})
