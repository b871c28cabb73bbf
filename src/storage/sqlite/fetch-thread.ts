// The fetch thread's entry: reads old entries on a connection of its own, one request at a time, and checks them. Each
// request is one short read transaction: a longer one would keep the write-ahead log from starting over.

import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { type FetchRequest, type FetchThreadOptions, packRows, packRun } from './fetch-messages.ts'
import { LogReader } from './log-reader.ts'
import { RunReader } from './run-reader.ts'
import { STOP } from './threads.ts'

function serve(port: NonNullable<typeof parentPort>, db: Database.Database): void {
  const [reader, runs] = [new LogReader(db), new RunReader(db)]
  port.on('message', (request: FetchRequest | typeof STOP) => {
    if (request === STOP) process.exit() // ends this thread only
    const { group, from, to, maxBytes } = request
    const run = runs.read(group, from, to, maxBytes)
    const response = run === null ? packRows(from, reader.readRows(group, from, to, maxBytes)) : packRun(run)
    port.postMessage(response, [response.buffer])
  })
}

/** Lower priority, in steps of `nice`. */
const NICER = 10
const MAX_NICE = 19

/** Who is owed old entries waits for them; everybody else waits for the processor, and comes first. */
function standBack(): void {
  // Elsewhere it would be the priority of the process.
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.min(MAX_NICE, getPriority() + NICER))
  } catch {
    // Where this is not allowed all are equal.
  }
}

function start(): void {
  standBack()
  if (parentPort === null) throw new TypeError('fetch-thread.ts is the entry of a worker thread')
  const options: FetchThreadOptions = workerData
  serve(parentPort, new Database(options.file, { readonly: true, fileMustExist: true }))
}

start()
