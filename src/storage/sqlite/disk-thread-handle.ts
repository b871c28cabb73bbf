// Starts the disk thread.

import { systemClock } from '../../runtime/clock.ts'
import { StorageError } from '../storage.ts'
import { fromFailure } from './failure.ts'
import type { DiskOptions, DiskRequest, DiskResponse } from './messages.ts'
import { ThreadHandle } from './thread-handle.ts'

export type DiskThread = ThreadHandle<DiskRequest, DiskResponse>

/** Starts a disk thread. Rejects with why it could not open its database, or that it took too long. */
export function startDiskThread(options: DiskOptions, timeoutMs: number): Promise<DiskThread> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      systemClock.clearTimeout(timer)
      void thread.stop().then(() => reject(error))
    }
    const thread: DiskThread = new ThreadHandle('disk-thread', options, {
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
