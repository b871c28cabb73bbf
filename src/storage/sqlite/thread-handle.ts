// A thread of the storage from the main thread's side. Its listeners are attached once and never taken off: Node stops a
// worker's port when its last listener goes.

import { Worker } from 'node:worker_threads'
import { owesAnswer, stopThread, THREAD_LIMITS, type ThreadName, threadFile } from './threads.ts'

export interface ThreadListener<Response> {
  onResponse(response: Response): void
  /** The thread is gone, without having been stopped from this side. */
  onEnd(reason: string): void
}

export class ThreadHandle<Request, Response> {
  readonly #worker: Worker
  #listener: ThreadListener<Response>
  #stopped = false
  #keepsAlive = true

  constructor(thread: ThreadName, options: unknown, listener: ThreadListener<Response>) {
    this.#listener = listener
    this.#worker = new Worker(threadFile(thread), {
      workerData: options,
      name: `quorate-${thread.replace('-thread', '')}`,
      execArgv: [],
      resourceLimits: THREAD_LIMITS,
    })
    this.#worker.on('message', (response: Response) => {
      owesAnswer(this.#worker, 'answered')
      if (!this.#stopped) this.#listener.onResponse(response)
    })
    this.#worker.on('error', (error) => this.#ended(error.message))
    this.#worker.on('exit', (code) => this.#ended(`exit code ${code}`))
  }

  /** From here on `listener` is told. */
  listen(listener: ThreadListener<Response>): void {
    this.#listener = listener
  }

  post(request: Request, transfer: readonly ArrayBuffer[]): void {
    owesAnswer(this.#worker, 'asked')
    this.#worker.postMessage(request, transfer)
  }

  /** Whether the thread keeps the process alive. */
  keepAlive(alive: boolean): void {
    if (alive === this.#keepsAlive) return
    this.#keepsAlive = alive
    if (alive) this.#worker.ref()
    else {
      owesAnswer(this.#worker, 'nothing')
      this.#worker.unref()
    }
  }

  /** Ends the thread, whatever it is doing; its files and locks are free then. Resolves with false when it hangs. */
  stop(): Promise<boolean> {
    this.#stopped = true
    return stopThread(this.#worker)
  }

  #ended(reason: string): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#listener.onEnd(reason)
  }
}
