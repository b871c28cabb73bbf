// Finding and ending the threads of a storage.

import type { Worker } from 'node:worker_threads'
import { systemClock } from '../../runtime/clock.ts'

/** What Node calls a thread that has ended. */
const NO_THREAD = -1
/** How long a thread may take to end what it is doing: one transaction, a few reads. */
const STOP_TIMEOUT_MS = 2000

/** A disk that is merely slow answers sooner. */
const SILENT_MS = 1000

const stuck = new Set<Worker>()
/** Threads that owe an answer, and since when. */
const asked = new Map<Worker, number>()

/**
 * Whether a thread of this process seems to hang in the operating system, on a disk that does not answer. While it does,
 * neither the end of the program nor `process.exit` ends the process: Node waits for the thread. A signal does end it.
 */
export function isThreadHanging(): boolean {
  const nowMs = systemClock.nowMs()
  return stuck.size > 0 || [...asked.values()].some((sinceMs) => nowMs - sinceMs > SILENT_MS)
}

/** Notes that a thread was asked something, or that it answered and still owes more. */
export function owesAnswer(worker: Worker, what: 'asked' | 'answered' | 'nothing'): void {
  if (what === 'nothing') asked.delete(worker)
  else if (what === 'answered' ? asked.has(worker) : !asked.has(worker))
    asked.set(worker, systemClock.nowMs())
}

/** What is made for one request is garbage after it: more room for young objects only takes memory. */
export const THREAD_LIMITS = { maxYoungGenerationSizeMb: 6 }

/** What a thread is sent to end it. */
export const STOP = 'stop'

/**
 * Asks a thread to end after what it is doing. Resolves with true when it is gone and its files are closed; with false
 * when it does not come back from the operating system, and is left behind. It is not terminated: SQLite reporting an
 * error to a thread that Node is terminating takes the whole process down.
 */
export function stopThread(worker: Worker): Promise<boolean> {
  if (worker.threadId === NO_THREAD) return Promise.resolve(true)
  worker.ref()
  worker.postMessage(STOP)
  return new Promise((resolve) => {
    const timer = systemClock.setTimeout(() => {
      stuck.add(worker)
      worker.unref()
      resolve(false)
    }, STOP_TIMEOUT_MS)
    worker.once('exit', () => {
      systemClock.clearTimeout(timer)
      stuck.delete(worker)
      asked.delete(worker)
      resolve(true)
    })
  })
}

export type ThreadName = 'disk-thread' | 'fetch-thread' | 'snapshots/snapshot-thread'

/** Node runs workers from JavaScript only: sources under test use what was built from them. */
export function threadFile(name: ThreadName): URL {
  const here = import.meta.url
  const built = here.endsWith('.ts') ? here.replace(/\/src\/(?!.*\/src\/)/, '/dist/src/') : here
  return new URL(`./${name}.js`, built)
}
