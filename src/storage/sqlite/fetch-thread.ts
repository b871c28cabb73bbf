// The fetch thread's entry: reads old entries on a connection of its own, one request at a time, and checks them. Each
// request is one short read transaction: a longer one would keep the write-ahead log from starting over.

import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { type FetchRequest, type FetchThreadOptions, packRows } from './fetch-messages.ts'
import { LogReader } from './log-reader.ts'
import { STOP } from './threads.ts'

function serve(port: NonNullable<typeof parentPort>, reader: LogReader): void {
  port.on('message', (request: FetchRequest | typeof STOP) => {
    if (request === STOP) process.exit() // ends this thread only
    const { group, from, to, maxBytes } = request
    const response = packRows(from, reader.readRows(group, from, to, maxBytes))
    port.postMessage(response, [response.buffer])
  })
}

function start(): void {
  if (parentPort === null) throw new TypeError('fetch-thread.ts is the entry of a worker thread')
  const options: FetchThreadOptions = workerData
  serve(parentPort, new LogReader(new Database(options.file, { readonly: true, fileMustExist: true })))
}

start()
