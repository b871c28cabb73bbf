// Starts the disk thread and holds it from the main thread's side. Its listeners are attached once and never taken
// off: Node stops a worker's port when its last listener goes.

import { Worker } from 'node:worker_threads'
import { systemClock } from '../../runtime/clock.ts'
import { StorageError } from '../storage.ts'
import { fromFailure } from './failure.ts'
import type { DiskOptions, DiskRequest, DiskResponse } from './messages.ts'
import { owesAnswer, stopThread, threadFile } from './threads.ts'

export interface DiskThreadListener {
  onResponse(response: DiskResponse): void
  /** The thread is gone, without having been stopped from this side. */
  onEnd(reason: string): void
}

export class DiskThread {
  readonly #worker: Worker
  #listener: DiskThreadListener
  #stopped = false
  #keepsAlive = true

  constructor(options: DiskOptions, listener: DiskThreadListener) {
    this.#listener = listener
    this.#worker = new Worker(threadFile('disk-thread'), {
      workerData: options,
      name: 'quorate-disk',
      execArgv: [],
    })
    this.#worker.on('message', (response: DiskResponse) => {
      owesAnswer(this.#worker, 'answered')
      if (!this.#stopped) this.#listener.onResponse(response)
    })
    this.#worker.on('error', (error) => this.#ended(error.message))
    this.#worker.on('exit', (code) => this.#ended(`exit code ${code}`))
  }

  /** From here on `listener` is told. */
  listen(listener: DiskThreadListener): void {
    this.#listener = listener
  }

  post(request: DiskRequest, transfer: readonly ArrayBuffer[]): void {
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

/** Starts a disk thread. Rejects with why it could not open its database, or that it took too long. */
export function startDiskThread(options: DiskOptions, timeoutMs: number): Promise<DiskThread> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      systemClock.clearTimeout(timer)
      void thread.stop().then(() => reject(error))
    }
    const thread = new DiskThread(options, {
      onResponse: (response) => {
        if (response.kind === 'refused') return refuse(fromFailure(response.failure))
        systemClock.clearTimeout(timer)
        resolve(thread)
      },
      onEnd: (reason) => refuse(new Error(`the disk thread ended: ${reason}`)),
    })
    const timer = systemClock.setTimeout(
      () =>
        refuse(
          new StorageError(
            'IO',
            `Data directory ${options.dataDir} could not be opened within ${timeoutMs} ms: its disk does not answer. Look for a device that fails or a network file system that is gone.`,
          ),
        ),
      timeoutMs,
    )
  })
}
