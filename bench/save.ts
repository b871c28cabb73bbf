// How long a save in the background keeps commands waiting: a key-value machine with many keys, one member in this process, one
// command at a time.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryBus, openHost, type RaftNode } from '../src/index.ts'
import { KeyValueStore } from '../src/machines/kv.ts'

export interface SaveResult {
  readonly mode: 'save'
  readonly keys: number
  readonly bytes: number
  readonly saveMs: number
  /** The longest wait for one command before, and while the snapshot was taken. */
  readonly longestMsBefore: number
  readonly longestMs: number
}

const FILL_UNDER_WAY = 1000
const BEFORE_MS = 1000

export async function measureSave(directory: string, keys: number): Promise<SaveResult> {
  const dataDir = mkdtempSync(join(directory, '.bench-save-'))
  const host = await openHost({ id: 'n1', dataDir, transport: new MemoryBus().connect('n1') })
  try {
    const stateMachine = new KeyValueStore()
    const node = await host.startNode({
      group: 'bench',
      peers: ['n1'],
      stateMachine,
      snapshotEveryEntries: 0,
    })
    while (node.status().role !== 'leader') await sleep(20)
    for (let at = 0; at < keys; at += FILL_UNDER_WAY) {
      const put = (key: number): Promise<unknown> =>
        node.apply(['put', `key-${key}`, `value of ${key} `.repeat(5)])
      await Promise.all(
        Array.from({ length: Math.min(FILL_UNDER_WAY, keys - at) }, (_, more) => put(at + more)),
      )
    }
    const longestMsBefore = await longestWait(node, new Promise((resolve) => setTimeout(resolve, BEFORE_MS)))
    const startedMs = performance.now()
    const saved = node.snapshot().then(({ bytes }) => ({ bytes, saveMs: performance.now() - startedMs }))
    const longestMs = await longestWait(node, saved)
    const { bytes, saveMs } = await saved
    const round = (ms: number): number => Math.round(ms * 10) / 10
    return {
      ...{ mode: 'save', keys, bytes, saveMs: round(saveMs) },
      ...{ longestMsBefore: round(longestMsBefore), longestMs: round(longestMs) },
    }
  } finally {
    await host.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function longestWait(node: RaftNode, end: Promise<unknown>): Promise<number> {
  let ended = false
  const over = end.finally(() => {
    ended = true
  })
  let longestMs = 0
  for (let count = 0; !ended; count++) {
    const startedMs = performance.now()
    await node.apply(['put', 'probe', String(count)])
    longestMs = Math.max(longestMs, performance.now() - startedMs)
  }
  await over
  return longestMs
}
