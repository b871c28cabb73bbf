// The power goes, again and again, while a storage is written to: what was acknowledged is there afterwards, whatever
// the disk kept of the rest. POWER_CUTS=1000 cuts as often as that.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { databaseFile } from '../../src/storage/sqlite/data-directory.ts'
import { Disk } from '../../src/storage/sqlite/disk.ts'
import { LogReader } from '../../src/storage/sqlite/log-reader.ts'
import { type Content, type GroupContent, History } from './power/history.ts'
import { DiskReplay, type Survives } from './power/replay.ts'
import { type DiskEvent, DiskTap, scratchDirectory } from './power/tap.ts'

const LOAD = fileURLToPath(new URL('./power/load.mjs', import.meta.url))
const GROUPS = ['a', 'b', 'c']
const CUTS = Number(process.env.POWER_CUTS ?? 200)
const LIVES = 6

function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** Several lives of a process over one directory: most are killed in the middle of a sync, some close. */
async function record(seed: number): Promise<DiskEvent[]> {
  const tap = new DiskTap()
  const random = generator(seed)
  const operations = 60
  for (let life = 0; life < LIVES; life++) {
    const args = [
      LOAD,
      join(tap.root, 'data'),
      join(tap.root, 'acks'),
      String(seed * 100 + life),
      String(operations),
    ]
    const isKilled = life % 3 !== 2
    const faults = isKilled ? { killAtSync: 3 + Math.floor(random() * 60) } : {}
    const { ended } = tap.run([...args, life % 2 === 0 ? 'die' : 'close'], faults)
    const { code, signal, stderr } = await ended
    if (signal !== 'SIGKILL' && code !== 0)
      throw new Error(`Life ${life} of recording ${seed} ended: ${stderr}`)
  }
  return tap.events()
}

/** Opens what is left as the product does, and reads all of it. */
function contentOf(dataDir: string): Content {
  const disk = new Disk({ dataDir, hostId: 'n1', maxDatabaseBytes: null, maxWalBytes: 96 * 1024 }, () =>
    performance.now(),
  )
  const db = new Database(databaseFile(dataDir), { readonly: true })
  try {
    const reader = new LogReader(db)
    const content: Record<string, GroupContent> = {}
    for (const [position, opening] of disk.openGroups(GROUPS).entries()) {
      let step = opening.next()
      while (step.done !== true) step = opening.next()
      if (!step.value.ok) throw new Error(step.value.failure.message)
      const { number, stored } = step.value
      const name = GROUPS[position] ?? ''
      const { hardState, firstIndex, lastIndex, termBeforeFirst } = stored
      const entries = lastIndex < firstIndex ? [] : reader.read({ number, name }, firstIndex, lastIndex, 1e9)
      content[name] = {
        hardState,
        firstIndex,
        termBeforeFirst,
        entries: entries.map(({ term, type, data }) => [term, type, data.length, crc32(data)]),
      }
    }
    return content
  } finally {
    db.close()
    disk.close()
  }
}

const WAYS: readonly ((random: () => number) => Survives)[] = [
  () => () => false,
  () => () => true,
  (random) => () => random() < 0.5,
  (random) => () => random() < 0.9,
  (random) => () => random() < 0.1,
]

test(`after ${CUTS} cuts of power nothing acknowledged is lost and nothing else has appeared`, {
  timeout: 600_000,
}, async () => {
  const random = generator(CUTS)
  const perRecording = 100
  let cuts = 0
  let acknowledged = 0
  for (let seed = 1; cuts < CUTS; seed++) {
    const events = await record(seed)
    const moments = new Set(Array.from({ length: perRecording }, () => Math.floor(random() * events.length)))
    // Right after a promise is where breaking it shows.
    const promises = events.flatMap(({ path }, at) => (path === 'acks' ? [at] : []))
    for (let i = 0; i < perRecording; i++) moments.add(promises[Math.floor(random() * promises.length)] ?? 0)
    const chosen = [...moments].sort(() => random() - 0.5).slice(0, perRecording)
    const place = scratchDirectory()
    const replay = new DiskReplay()
    const history = new History(GROUPS)
    for (const [at, event] of events.entries()) {
      if (event.path !== 'acks') replay.take(event)
      else if (event.type === 'write') history.take(event.data.toString())
      if (!chosen.includes(at)) continue
      const survives = (WAYS[cuts % WAYS.length] ?? WAYS[0])?.(random)
      if (survives === undefined) continue
      cuts++
      const root = join(place, String(at))
      replay.cutPower(root, survives)
      const dataDir = join(root, 'data')
      if (!existsSync(dataDir)) mkdirSync(dataDir)
      const files = readdirSync(dataDir)
      const contradiction = history.contradiction(contentOf(dataDir))
      expect(contradiction, `recording ${seed}, cut after event ${at} of ${events.length} (${files})`).toBe(
        null,
      )
      rmSync(root, { recursive: true })
    }
    acknowledged += history.acknowledged
  }
  expect(acknowledged).toBeGreaterThan(CUTS / 2)
})
