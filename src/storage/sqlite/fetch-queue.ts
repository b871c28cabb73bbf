// The caller's side of the fetch thread: reads wait here in the order asked for and end in that order. The thread is
// started for the first of them, for most members never need one.

import { Worker } from 'node:worker_threads'
import type { ClaimedRead } from '../claimed-read.ts'
import { StorageError } from '../storage.ts'
import {
  type FetchRequest,
  type FetchResponse,
  type FetchThreadOptions,
  unpackRows,
} from './fetch-messages.ts'
import type { GroupIdentity } from './log-reader.ts'
import { stopThread, THREAD_LIMITS, threadFile } from './threads.ts'

export interface FetchOrder {
  readonly group: GroupIdentity
  readonly read: ClaimedRead
  readonly maxBytes: number
  /** The reason why this group can answer nothing any more, or `null`. */
  refusal(): StorageError | null
}

interface Waiting extends FetchOrder {
  /** The thread has it, and will answer. */
  readonly asked: boolean
}

export class FetchQueue {
  readonly #options: FetchThreadOptions
  readonly #waiting: Waiting[] = []
  #worker: Worker | null = null
  #failure: StorageError | null = null

  constructor(options: FetchThreadOptions) {
    this.#options = options
  }

  ask(order: FetchOrder): void {
    const { group, read, maxBytes } = order
    const asked = this.#failure === null && order.refusal() === null && read.to >= read.from
    this.#waiting.push({ asked, ...order })
    if (!asked) {
      queueMicrotask(() => this.#endUnasked())
      return
    }
    const { from, to } = read
    this.#worker ??= this.#start()
    this.#worker.ref()
    this.#worker.postMessage({ group, from, to, maxBytes } satisfies FetchRequest)
  }

  /** Ends the thread. What waits ends with `error`. */
  async close(error: StorageError): Promise<void> {
    this.#fail(error)
    if (this.#worker !== null) await stopThread(this.#worker)
  }

  /** Ends the thread and forgets what waits. */
  async drop(): Promise<void> {
    for (const { read } of this.#waiting) read.cancel()
    await this.close(new StorageError('CLOSED', 'This storage is closed.'))
  }

  #start(): Worker {
    const file = threadFile('fetch-thread')
    const worker = new Worker(file, {
      workerData: this.#options,
      name: 'quorate-fetch',
      execArgv: [],
      resourceLimits: THREAD_LIMITS,
    })
    worker.on('message', (response: FetchResponse) => this.#answered(response))
    worker.on('error', (error) => this.#ended(error.message))
    worker.on('exit', (code) => this.#ended(`exit code ${code}`))
    return worker
  }

  #answered(response: FetchResponse): void {
    if (this.#failure !== null) return
    this.#endUnasked()
    const order = this.#waiting.shift()
    if (order !== undefined) end(order, order.refusal(), response)
    this.#endUnasked()
    if (this.#waiting.length === 0) this.#worker?.unref()
  }

  /** Those at the front that the thread was never asked for. */
  #endUnasked(): void {
    for (let [order] = this.#waiting; order !== undefined && this.#isOver(order); [order] = this.#waiting) {
      this.#waiting.shift()
      end(order, order.refusal() ?? this.#failure, null)
    }
  }

  #isOver({ asked }: Waiting): boolean {
    return !asked || this.#failure !== null
  }

  #ended(reason: string): void {
    const message = `The fetch thread of ${this.#options.file} ended (${reason}): old entries cannot be read any more.`
    this.#fail(new StorageError('IO', message))
  }

  #fail(error: StorageError): void {
    if (this.#failure !== null) return
    this.#failure = error
    queueMicrotask(() => this.#endUnasked())
  }
}

function end({ read }: FetchOrder, error: StorageError | null, response: FetchResponse | null): void {
  if (error !== null) read.failed(error)
  else read.rowsRead(response === null ? { entries: [], failure: null } : unpackRows(response))
}
