// The disk thread's entry: takes requests one at a time, answers each, and keeps house between them.

import { parentPort, workerData } from 'node:worker_threads'
import { systemClock, type TimerHandle } from '../../runtime/clock.ts'
import { Disk } from './disk.ts'
import { type Failure, toFailure } from './failure.ts'
import type { DiskOptions, DiskRequest, DiskResponse } from './messages.ts'

/** Without a request for this long nobody is taken to wait. */
const QUIET_MS = 20

function serve(port: NonNullable<typeof parentPort>, disk: Disk): void {
  let requestsSinceTimer = 0
  let timer: TimerHandle | null = null

  const answer = (response: DiskResponse, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(response, transfer)
  const reportFailure = (failure: Failure | null): void => {
    if (failure !== null) answer({ kind: 'failed', failure })
  }
  const waitForQuiet = (delayMs: number): void => {
    timer ??= systemClock.setTimeout(onTimer, delayMs)
  }
  function onTimer(): void {
    timer = null
    if (requestsSinceTimer > 0) {
      requestsSinceTimer = 0
      waitForQuiet(QUIET_MS)
      return
    }
    const { more, failure } = disk.whenQuiet()
    reportFailure(failure)
    if (more) waitForQuiet(0)
  }

  function onRequest(request: DiskRequest): void {
    requestsSinceTimer++
    switch (request.kind) {
      case 'write': {
        const { buffer, byteLength } = request
        const failure = byteLength === 0 ? null : disk.write(buffer, byteLength)
        answer({ kind: 'written', failure, spare: buffer }, [buffer])
        if (failure === null) reportFailure(disk.afterWrite())
        waitForQuiet(QUIET_MS)
        break
      }
      case 'open':
        answer({ kind: 'opened', results: disk.openGroups(request.groups) })
        waitForQuiet(QUIET_MS)
        break
      case 'close':
        if (timer !== null) systemClock.clearTimeout(timer)
        answer({ kind: 'closed', failure: disk.close() })
        port.close()
        break
    }
  }

  port.on('message', onRequest)
  answer({ kind: 'started' })
}

function start(): void {
  if (parentPort === null) throw new TypeError('disk-thread.ts is the entry of a worker thread')
  const options: DiskOptions = workerData
  try {
    serve(parentPort, new Disk(options))
  } catch (error) {
    const failure = toFailure(error, `opening data directory ${options.dataDir}`)
    parentPort.postMessage({ kind: 'refused', failure } satisfies DiskResponse)
  }
}

start()
