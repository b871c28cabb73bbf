// The snapshot thread's entry: carries calls out one after the other, and between them makes durable what has come and
// removes what nobody needs. The log has a thread and a database of its own, which large writes here do not hold up.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock, type TimerHandle } from '../../../runtime/clock.ts'
import { movable } from '../../snapshots/chunk-buffer.ts'
import { SnapshotEngine } from '../../snapshots/snapshot-engine.ts'
import { StorageError } from '../../storage.ts'
import { type Failure, toFailure } from '../failure.ts'
import { STOP } from '../threads.ts'
import { SnapshotDatabase } from './snapshot-database.ts'
import type { SnapshotRequest, SnapshotResponse, SnapshotThreadOptions } from './snapshot-messages.ts'

/** Nothing that was taken waits longer than this to become durable. */
const COMMIT_AFTER_MS = 500

class SnapshotServer {
  readonly #port: MessagePort
  readonly #database: SnapshotDatabase
  readonly #engine: SnapshotEngine
  #timer: TimerHandle | null = null
  #isHousePlanned = false

  constructor(port: MessagePort, database: SnapshotDatabase) {
    this.#port = port
    this.#database = database
    this.#engine = new SnapshotEngine(database.tables)
    this.#planHouse()
  }

  onRequest(request: SnapshotRequest): void {
    if (request.kind === 'end') {
      this.#end()
      return
    }
    const result = this.#engine.answer(request)
    if (!result.ok) {
      this.#answer({ ok: false, failure: toFailure(result.error, 'keeping a snapshot') })
    } else if (result.value instanceof Uint8Array) {
      const value = movable(result.value)
      this.#answer({ ok: true, value }, [value.buffer])
    } else this.#answer({ ok: true, value: result.value })
    this.#database.writeBehind()
    this.#planCommit()
    this.#planHouse()
  }

  #planCommit(): void {
    if (this.#timer !== null || !this.#engine.isUncommitted) return
    this.#timer = systemClock.setTimeout(() => {
      this.#timer = null
      this.#try(() => this.#engine.commit())
    }, COMMIT_AFTER_MS)
  }

  /** Behind the requests that have come meanwhile. */
  #planHouse(): void {
    if (this.#isHousePlanned) return
    this.#isHousePlanned = true
    systemClock.defer(() => {
      this.#isHousePlanned = false
      const isLeft = this.#try(() => this.#engine.keepHouse()) ?? false
      if (isLeft) this.#planHouse()
      this.#planCommit()
    })
  }

  #end(): void {
    if (this.#timer !== null) systemClock.clearTimeout(this.#timer)
    const failure = this.#failureOf(() => this.#engine.commit())
    this.#database.close()
    this.#answer(failure === null ? { ok: true, value: null } : { ok: false, failure })
    this.#port.close()
  }

  /** Whoever it concerns is told by the engine. */
  #try<T>(work: () => T): T | null {
    try {
      return work()
    } catch (error) {
      if (error instanceof StorageError) return null
      throw error
    }
  }

  #failureOf(work: () => void): Failure | null {
    try {
      work()
      return null
    } catch (error) {
      return toFailure(error, 'closing the database of snapshots')
    }
  }

  #answer(response: SnapshotResponse, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(response, transfer)
  }
}

/** What cannot be opened now, on a full disk for example, is tried again with the next call. */
function start(port: MessagePort, options: SnapshotThreadOptions): void {
  let server: SnapshotServer | null = null
  port.on('message', (request: SnapshotRequest | typeof STOP) => {
    if (request === STOP) process.exit() // ends this thread only
    try {
      server ??= new SnapshotServer(port, new SnapshotDatabase(options))
    } catch (error) {
      const failure = toFailure(error, `opening the snapshots of data directory ${options.dataDir}`)
      port.postMessage({ ok: false, failure } satisfies SnapshotResponse)
      if (request.kind === 'end') port.close()
      return
    }
    server.onRequest(request)
  })
}

if (parentPort === null) throw new TypeError('snapshot-thread.ts is the entry of a worker thread')
start(parentPort, workerData)
