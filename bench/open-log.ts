// How long a member takes to open a log of a million entries, and how much memory: writes the log through the
// storage, then opens it in a fresh process.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryBus, openHost, openSqliteStorage } from '../src/index.ts'
import { EntryType, type LogEntry } from '../src/rules/types.ts'

export interface OpenResult {
  readonly mode: 'open'
  readonly entries: number
  readonly openMs: number
  readonly rssMb: number
}

const BATCH = 5000
const TERM = 2

export async function measureOpen(directory: string, entries: number): Promise<OpenResult> {
  const dataDir = mkdtempSync(join(directory, '.bench-open-'))
  try {
    await fill(dataDir, entries)
    const child = fork(new URL(import.meta.url), [dataDir, String(entries)])
    const [result] = (await once(child, 'message')) as [OpenResult]
    return result
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function fill(dataDir: string, entries: number): Promise<void> {
  const storage = await openSqliteStorage({ dataDir, hostId: 'n1' })
  await new Promise<void>((resolve, reject) => {
    storage.openGroup('bench', (opened) => {
      if (!opened.ok) return reject(opened.error)
      const { store } = opened
      store.saveHardState({ term: TERM, votedFor: 'n1' }, () => {})
      let next = 1
      const more = (): void => {
        if (next > entries) return resolve()
        const count = Math.min(BATCH, entries - next + 1)
        const batch = Array.from({ length: count }, (_, i): LogEntry => entryAt(next + i))
        next += count
        store.append(batch, (error) => (error === null ? more() : reject(error)))
      }
      more()
    })
  })
  await new Promise<void>((resolve) => storage.close(() => resolve()))
}

function entryAt(index: number): LogEntry {
  return { index, term: TERM, type: EntryType.DATA, data: new Uint8Array(100).fill(65) }
}

async function openInThisProcess(dataDir: string, entries: number): Promise<void> {
  const start = performance.now()
  const host = await openHost({ id: 'n1', dataDir, transport: new MemoryBus().connect('n1') })
  const node = await host.startNode({
    group: 'bench',
    peers: ['n1', 'n2', 'n3'],
    stateMachine: { apply: () => null },
  })
  const openMs = Math.round(performance.now() - start)
  const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20)
  if (node.status().lastIndex !== entries) throw new Error(`Opened ${node.status().lastIndex} entries.`)
  process.send?.({ mode: 'open', entries, openMs, rssMb } satisfies OpenResult)
  host.destroy()
}

const [dataDir, entries] = process.argv.slice(2)
if (process.send !== undefined && dataDir !== undefined) await openInThisProcess(dataDir, Number(entries))
