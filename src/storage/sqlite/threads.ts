// Finding and ending the threads of a storage.

import type { Worker } from 'node:worker_threads'
import { systemClock } from '../../runtime/clock.ts'

/** How long a thread may take to leave what it is in. Only a call that does not return takes longer. */
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

/**
 * Ends a thread, whatever it is doing. Resolves with true when it is gone and its files are closed; with false when the
 * operating system does not let go of it, and it is left behind.
 */
export function stopThread(worker: Worker): Promise<boolean> {
  worker.ref()
  return new Promise((resolve) => {
    const timer = systemClock.setTimeout(() => {
      stuck.add(worker)
      worker.unref()
      resolve(false)
    }, STOP_TIMEOUT_MS)
    void worker.terminate().then(() => {
      systemClock.clearTimeout(timer)
      stuck.delete(worker)
      asked.delete(worker)
      resolve(true)
    })
  })
}

/** Node runs workers from JavaScript only: sources under test use what was built from them. */
export function threadFile(name: 'disk-thread' | 'fetch-thread'): URL {
  const here = import.meta.url
  const built = here.endsWith('.ts') ? here.replace(/\/src\/(?!.*\/src\/)/, '/dist/src/') : here
  return new URL(`./${name}.js`, built)
}
