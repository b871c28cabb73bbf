// The disk thread of the bare pipe: what has arrived since the last sync goes into one transaction. `workerData` is the file.

import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'

/** Entries that follow each other. */
export interface Batch {
  readonly first: number
  readonly entries: readonly Uint8Array[]
}

const db = new Database(String(workerData))
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.pragma('wal_autocheckpoint = 4000')
db.exec('create table log (i integer primary key, term integer, kind integer, data blob)')
const insert = db.prepare('insert into log values (?, 1, 1, ?)')
const commit = db.transaction((batches: readonly Batch[]) => {
  for (const { first, entries } of batches)
    for (const [at, entry] of entries.entries()) insert.run(first + at, entry)
})

let waiting: Batch[] = []
parentPort?.on('message', (batch: Batch) => {
  if (waiting.push(batch) > 1) return
  setImmediate(() => {
    const batches = waiting
    waiting = []
    commit(batches)
    const last = batches.at(-1)
    // The last one that is on the disk now.
    if (last !== undefined) parentPort?.postMessage(last.first + last.entries.length - 1)
  })
})
