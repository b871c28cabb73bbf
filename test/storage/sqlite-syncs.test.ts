// Durability as the operating system sees it: which syncs reach it, and when.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type DiskEvent, DiskTap } from './power/tap.ts'

const PROGRAM = fileURLToPath(new URL('./power/one-by-one.mjs', import.meta.url))

/** What happened to the files of the database up to each note, and what of it was not synced then. */
interface Step {
  readonly note: string
  readonly syncs: readonly string[]
  readonly unsynced: readonly string[]
}

function stepsOf(events: readonly DiskEvent[]): Step[] {
  const steps: Step[] = []
  const unsynced = new Set<string>()
  let syncs: string[] = []
  for (const { type, path, data } of events) {
    if (path === 'notes') {
      if (type !== 'write') continue
      steps.push({ note: data.toString().trim(), syncs, unsynced: [...unsynced] })
      syncs = []
    } else if (!path.includes('quorate.db')) {
      if (type === 'sync') syncs.push(path)
    } else if (type === 'sync') {
      syncs.push(path)
      unsynced.delete(path)
    } else if (type === 'unlink') unsynced.delete(path)
    else if (type !== 'create') unsynced.add(path)
  }
  return steps
}

async function run(tap: DiskTap, faults = {}): Promise<{ code: number | null }> {
  const { code, signal, stderr } = await tap.run(
    [PROGRAM, join(tap.root, 'data'), join(tap.root, 'notes')],
    faults,
  ).ended
  expect({ stderr, signal }).toEqual({ stderr: '', signal: 'killAtSync' in faults ? 'SIGKILL' : null })
  return { code }
}

const WAL = 'data/quorate.db-wal'

test('every acknowledgement comes after exactly one sync, which left nothing unsynced; a barrier needs none', async () => {
  const tap = new DiskTap()
  await run(tap)
  const steps = stepsOf(tap.events())
  for (const { note, syncs, unsynced } of steps) {
    expect({ note, unsynced }).toEqual({ note, unsynced: [] })
    if (['append', 'hard state', 'suffix', 'prefix'].includes(note))
      expect({ note, syncs }).toEqual({ note, syncs: [WAL] })
    if (note === 'barrier') expect(syncs).toEqual([])
  }
  expect(steps.filter(({ note }) => note === 'append')).toHaveLength(20)
})

test('a hundred writes of one turn share two syncs: the first goes at once, the others together', async () => {
  const tap = new DiskTap()
  await run(tap)
  expect(stepsOf(tap.events()).find(({ note }) => note === 'burst')?.syncs).toEqual([WAL, WAL])
})

test('the directory is synced where its name and the names in it are new', async () => {
  const tap = new DiskTap()
  await run(tap)
  const [started, opened] = stepsOf(tap.events())
  expect(started?.syncs[0]).toBe('')
  expect(started?.syncs).toContain('data')
  expect(opened?.unsynced).toEqual([])
})

test('after a crash in the middle of a sync, what is visible is synced before anybody is told of it', async () => {
  for (const killAtSync of [8, 12, 20]) {
    const tap = new DiskTap()
    await run(tap, { killAtSync })
    const before = tap.events().length
    await run(tap)
    const again = stepsOf(tap.events().slice(before))
    const log = tap
      .events()
      .slice(0, before)
      .findLast(({ path }) => path === WAL)
    // The crash left something that nobody had synced, or this shows nothing.
    expect(log?.type).toBe('write')
    expect(again[0]?.syncs).toContain(WAL)
  }
})

test('opening what is there already costs no sync of its own', async () => {
  const tap = new DiskTap()
  await run(tap)
  const before = tap.events().length
  await run(tap)
  const opened = stepsOf(tap.events().slice(before)).find(({ note }) => note === 'opened')
  expect(opened).toMatchObject({ syncs: [], unsynced: [] })
})

test('after a close everything is in the database, synced, and the write-ahead log is gone', async () => {
  const tap = new DiskTap()
  await run(tap)
  expect(stepsOf(tap.events()).at(-1)).toMatchObject({ note: 'closed', unsynced: [] })
  expect(existsSync(join(tap.root, WAL))).toBe(false)
})

test('a storage whose disk hangs in a sync is closed with a sentence; the thread does not end before the disk', async () => {
  const tap = new DiskTap()
  const stallFile = join(tap.root, '..', 'stall')
  const args = [PROGRAM, join(tap.root, 'data'), join(tap.root, 'notes'), stallFile]
  const { child, ended } = tap.run(args, { stallFile })
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await expect
    .poll(() => said, { timeout: 15_000 })
    .toMatch(/has not answered for 300 ms while closing.*\ngiven up\n/s)
  child.kill('SIGKILL')
  expect((await ended).signal).toBe('SIGKILL')
})
