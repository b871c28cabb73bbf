// The disk thread's entry: takes requests, answers each, and between them opens groups and keeps house in slices.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock, type TimerHandle } from '../../runtime/clock.ts'
import type { DiskStatus } from '../storage.ts'
import { Disk, type GroupOpening } from './disk.ts'
import { type Failure, toFailure } from './failure.ts'
import type { DiskOptions, DiskRequest, DiskResponse } from './messages.ts'
import { STOP } from './threads.ts'

/** Without a request for this long nobody is taken to wait. */
const QUIET_MS = 20
/** How long opening goes on before a request that has come meanwhile gets its turn. */
const OPENING_SLICE_MS = 4
/** How often files are looked at, and the state of the disk told, while nobody writes. */
const WATCH_MS = 500

interface Opening {
  readonly id: number
  readonly steps: GroupOpening
}

class DiskServer {
  readonly #port: MessagePort
  readonly #disk: Disk
  #openings: Opening[] = []
  #requestsSinceTimer = 0
  #timer: TimerHandle | null = null
  #watch: TimerHandle
  #isSlicePlanned = false
  #isFailureReported = false
  #told: DiskStatus = { walBytes: 0, databaseBytes: 0, blockedByReaderMs: null }

  constructor(port: MessagePort, disk: Disk) {
    this.#port = port
    this.#disk = disk
    this.#watch = systemClock.setTimeout(this.#onWatch, WATCH_MS)
    port.on('message', (request: DiskRequest | typeof STOP) => {
      if (request === STOP) process.exit() // ends this thread only
      this.#onRequest(request)
    })
    this.#answer({ kind: 'started' })
  }

  #onRequest(request: DiskRequest): void {
    this.#requestsSinceTimer++
    switch (request.kind) {
      case 'write': {
        const { buffer, byteLength } = request
        const startedMs = systemClock.nowMs()
        const failure = byteLength === 0 ? null : this.#disk.write(buffer, byteLength)
        const tookMs = systemClock.nowMs() - startedMs
        this.#answer({ kind: 'written', failure, spare: buffer, tookMs }, [buffer])
        if (failure === null) this.#reportFailure(this.#disk.afterWrite())
        this.#waitForQuiet(QUIET_MS)
        break
      }
      case 'open':
        for (const [position, steps] of this.#disk.openGroups(request.groups).entries()) {
          this.#openings.push({ id: request.firstId + position, steps })
        }
        this.#openInSlices()
        this.#waitForQuiet(QUIET_MS)
        break
      case 'close':
        systemClock.clearTimeout(this.#watch)
        if (this.#timer !== null) systemClock.clearTimeout(this.#timer)
        this.#answer({ kind: 'closed', failure: this.#disk.close() })
        this.#port.close()
        break
    }
  }

  /** One step for every group in turn, so that short logs need not wait for a long one. */
  #openInSlices(): void {
    const endMs = systemClock.nowMs() + OPENING_SLICE_MS
    while (this.#openings.length > 0 && systemClock.nowMs() < endMs) {
      this.#openings = this.#openings.filter(({ id, steps }) => {
        const { done, value } = steps.next()
        if (done === true) this.#answer({ kind: 'opened', id, result: value })
        return done !== true
      })
    }
    if (this.#openings.length === 0 || this.#isSlicePlanned) return
    this.#isSlicePlanned = true
    // Behind the requests that have come meanwhile.
    systemClock.defer(() => {
      this.#isSlicePlanned = false
      this.#openInSlices()
    })
  }

  #waitForQuiet(delayMs: number): void {
    this.#timer ??= systemClock.setTimeout(this.#onTimer, delayMs)
  }

  readonly #onTimer = (): void => {
    this.#timer = null
    if (this.#requestsSinceTimer > 0) {
      this.#requestsSinceTimer = 0
      this.#waitForQuiet(QUIET_MS)
      return
    }
    this.#keepHouse()
  }

  /** Also while requests come without a pause: then the write-ahead log is looked after by `afterWrite`. */
  readonly #onWatch = (): void => {
    this.#watch = systemClock.setTimeout(this.#onWatch, WATCH_MS)
    this.#reportFailure(this.#disk.checkFiles())
    if (this.#disk.isWalLarge) this.#keepHouse()
    this.#tellStatus()
  }

  #keepHouse(): void {
    const { more, failure } = this.#disk.whenQuiet()
    this.#reportFailure(failure)
    if (more) this.#waitForQuiet(0)
  }

  #tellStatus(): void {
    const status = this.#disk.status()
    const { walBytes, databaseBytes, freeBytes, blockedByReaderMs } = this.#told
    const isSameSize = status.walBytes === walBytes && status.databaseBytes === databaseBytes
    if (isSameSize && status.freeBytes === freeBytes && status.blockedByReaderMs === blockedByReaderMs) return
    this.#told = status
    this.#answer({ kind: 'status', status })
  }

  #reportFailure(failure: Failure | null): void {
    if (failure === null || this.#isFailureReported) return
    this.#isFailureReported = true
    this.#answer({ kind: 'failed', failure })
  }

  #answer(response: DiskResponse, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(response, transfer)
  }
}

function start(): void {
  if (parentPort === null) throw new TypeError('disk-thread.ts is the entry of a worker thread')
  const options: DiskOptions = workerData
  try {
    new DiskServer(parentPort, new Disk(options, () => systemClock.nowMs()))
  } catch (error) {
    const failure = toFailure(error, `opening data directory ${options.dataDir}`)
    parentPort.postMessage({ kind: 'refused', failure } satisfies DiskResponse)
  }
}

start()
