// The caller's side of the snapshot thread: calls end in the order of asking. The thread is started for the first of
// them that needs it; a host that has no snapshots never does.

import { existsSync } from 'node:fs'
import type { SnapshotDone } from '../../snapshot-store.ts'
import type { AnswerOf, CallOf, SnapshotCall, SnapshotCallKind, SnapshotPort } from '../../snapshots/calls.ts'
import { movable } from '../../snapshots/chunk-buffer.ts'
import { StorageError } from '../../storage.ts'
import { snapshotsFile } from '../data-directory.ts'
import { fromFailure } from '../failure.ts'
import { ThreadHandle } from '../thread-handle.ts'
import type { SnapshotRequest, SnapshotResponse, SnapshotThreadOptions } from './snapshot-messages.ts'

type SnapshotThread = ThreadHandle<SnapshotRequest, SnapshotResponse>

/** Waits for its turn. */
interface Order {
  /** The thread has it, and will answer. */
  readonly asked: boolean
  end(response: SnapshotResponse | StorageError): void
}

class Asked<Kind extends SnapshotCallKind> implements Order {
  readonly asked = true
  readonly #done: SnapshotDone<AnswerOf<Kind>>

  constructor(done: SnapshotDone<AnswerOf<Kind>>) {
    this.#done = done
  }

  end(response: SnapshotResponse<Kind> | StorageError): void {
    if (response instanceof StorageError) this.#done({ ok: false, error: response })
    else if (response.ok) this.#done({ ok: true, value: response.value })
    else this.#done({ ok: false, error: fromFailure(response.failure) })
  }
}

export class SnapshotQueue implements SnapshotPort {
  readonly #options: SnapshotThreadOptions
  readonly #waiting: Order[] = []
  #thread: SnapshotThread | null = null
  #failure: StorageError | null = null
  #isDeaf = false

  constructor(options: SnapshotThreadOptions) {
    this.#options = options
  }

  ask<Kind extends SnapshotCallKind>(
    kind: Kind,
    call: CallOf<Kind>,
    done: SnapshotDone<AnswerOf<Kind>>,
  ): void {
    const request = WRAP[kind](call)
    const here = this.#answerWithoutThread(request)
    if (here !== null) {
      const order = new Asked<Kind>(done)
      this.settle(() => order.end(here))
      return
    }
    this.#thread ??= this.#start()
    this.#waiting.push(new Asked<Kind>(done))
    this.#post(request)
  }

  settle(run: () => void): void {
    this.#waiting.push({ asked: false, end: run })
    queueMicrotask(() => this.#endUnasked())
  }

  /** After everything that was asked for; the thread is gone when `done` comes. */
  end(done: () => void): void {
    if (this.#thread === null || this.#failure !== null) this.settle(done)
    else {
      this.#waiting.push({ asked: true, end: done })
      this.#post({ kind: 'end' })
    }
  }

  /** Ends the thread. With `error`, what waits ends with it; without, it is forgotten. False: the thread hangs. */
  stop(error: StorageError | null): Promise<boolean> {
    this.#isDeaf = true
    this.#failure ??= error ?? new StorageError('CLOSED', 'This storage is closed.')
    if (error === null) this.#waiting.length = 0
    this.#failWaiting()
    return this.#thread?.stop() ?? Promise.resolve(true)
  }

  /** The answer that needs no thread; `null`: the thread has to be asked. */
  #answerWithoutThread({ kind, call }: SnapshotCall): SnapshotResponse | StorageError | null {
    if (this.#failure !== null) return this.#failure
    if (this.#thread !== null) return null
    const isThere = existsSync(snapshotsFile(this.#options.dataDir))
    if ((kind === 'open' && !isThere) || kind === 'close') return NOTHING
    if (kind === 'openReader')
      return new StorageError('INVALID', `Group ${call.group} has no snapshot to be read.`)
    return null
  }

  #start(): SnapshotThread {
    const thread: SnapshotThread = new ThreadHandle('snapshots/snapshot-thread', this.#options, {
      onResponse: (response) => this.#answered(response),
      onEnd: (reason) => this.#ended(reason),
    })
    this.#thread = thread
    return thread
  }

  #post(request: SnapshotRequest): void {
    this.#thread?.keepAlive(true) // only work that is under way does
    if (request.kind === 'append') {
      const data = movable(request.call.data)
      this.#thread?.post({ kind: 'append', call: { ...request.call, data } }, [data.buffer])
    } else if (request.kind === 'put') {
      const data = movable(request.call.data)
      this.#thread?.post({ kind: 'put', call: { ...request.call, data } }, [data.buffer])
    } else this.#thread?.post(request, [])
  }

  #answered(response: SnapshotResponse): void {
    if (this.#isDeaf) return
    this.#endUnasked()
    this.#waiting.shift()?.end(response)
    this.#endUnasked()
    if (this.#waiting.length === 0) this.#thread?.keepAlive(false)
  }

  /** Those at the front that the thread was never asked for. */
  #endUnasked(): void {
    while (this.#waiting[0]?.asked === false) this.#waiting.shift()?.end(NOTHING)
  }

  #ended(reason: string): void {
    const { dataDir } = this.#options
    const message = `The snapshot thread of ${dataDir} ended (${reason}): snapshots that were not published are lost.`
    this.#failure ??= new StorageError('IO', message)
    this.#failWaiting()
  }

  #failWaiting(): void {
    const error = this.#failure
    if (error !== null) for (const order of this.#waiting.splice(0)) order.end(error)
  }
}

/** A call and its kind as one value. */
const WRAP: { readonly [Kind in SnapshotCallKind]: (call: CallOf<Kind>) => SnapshotCall } = {
  open: (call) => ({ kind: 'open', call }),
  close: (call) => ({ kind: 'close', call }),
  create: (call) => ({ kind: 'create', call }),
  append: (call) => ({ kind: 'append', call }),
  endFile: (call) => ({ kind: 'endFile', call }),
  removeFile: (call) => ({ kind: 'removeFile', call }),
  copy: (call) => ({ kind: 'copy', call }),
  put: (call) => ({ kind: 'put', call }),
  publish: (call) => ({ kind: 'publish', call }),
  leave: (call) => ({ kind: 'leave', call }),
  openReader: (call) => ({ kind: 'openReader', call }),
  read: (call) => ({ kind: 'read', call }),
  closeReader: (call) => ({ kind: 'closeReader', call }),
}

const NOTHING: SnapshotResponse = { ok: true, value: null }
