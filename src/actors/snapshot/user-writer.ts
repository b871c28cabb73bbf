// The writer that a state machine is handed when it saves: checks names and contents, copies what it is given, and hands
// the disk no more than it takes.

import { QuorateError } from '../../errors.ts'
import type { SnapshotMeta } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import { messageOf, toError } from '../../runtime/errors.ts'
import type { SnapshotContent, SnapshotWriter } from '../../state-machine.ts'
import {
  MAX_FILE_USER_META_BYTES,
  type SnapshotDone,
  type SnapshotSave,
} from '../../storage/snapshot-store.ts'
import { ChunkBuffer } from '../../storage/snapshots/chunk-buffer.ts'
import { refuseFileName } from '../../storage/snapshots/file-name.ts'
import type { StorageDone, StorageError } from '../../storage/storage.ts'
import { encodeValue, VALUE_LIMITS } from '../../transport/wire/codec.ts'
import type { Progress } from './snapshots.ts'

/** Writes that the disk has not taken yet: enough to keep it busy. */
const MAX_WRITES_UNDER_WAY = 4

const META_LIMITS = { ...VALUE_LIMITS, maxBytes: MAX_FILE_USER_META_BYTES }

/** Files are written one after the other, in the order in which they were added. */
export class UserWriter implements SnapshotWriter {
  readonly meta: SnapshotMeta
  readonly #save: SnapshotSave
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #clock: Pick<Clock, 'defer'>
  readonly #names = new Set<string>()
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false
  #failure: Error | null = null

  /** @param progress is kept up to date, for status */
  constructor(
    save: SnapshotSave,
    meta: SnapshotMeta,
    signal: AbortSignal,
    progress: Progress,
    clock: Pick<Clock, 'defer'>,
  ) {
    this.#progress = progress
    this.#clock = clock
    this.#save = save
    this.#signal = signal
    this.meta = structuredClone(meta)
  }

  addFile(name: string, content: SnapshotContent, userMeta?: unknown): Promise<void> {
    return this.#inTurn(() => {
      this.#checkNew(name)
      const about = encodeMeta(name, userMeta)
      // In one piece, and maybe changed before its turn comes: copied now.
      const mine = content instanceof Uint8Array ? [new Uint8Array(content)] : piecesOf(name, content)
      this.#names.add(name)
      return async () => {
        await this.#write(name, mine)
        await this.#asked<unknown>((done) => this.#save.endFile(name, about, done))
      }
    })
  }

  removeFile(name: string): Promise<void> {
    return this.#inTurn(() => {
      if (!this.#names.delete(name)) throw invalid(`there is no file ${JSON.stringify(name)} to remove`)
      return () => this.#done((done) => this.#save.removeFile(name, done))
    })
  }

  /** What was first in its way; null: nothing was. */
  get failure(): Error | null {
    return this.#failure
  }

  /** Takes nothing more. Resolves when everything is written; rejects with what was first in its way. */
  async finish(): Promise<void> {
    this.#closed = true
    await this.#queue
    if (this.#failure !== null) throw this.#failure
  }

  /** What fails fails the snapshot, whether or not anybody waits for it. */
  #inTurn(prepare: () => () => Promise<void>): Promise<void> {
    const added = this.#attempt(prepare)
    const settled = added.catch((error: unknown) => {
      this.#failure ??= toError(error)
    })
    const before = this.#queue
    this.#queue = before.then(() => settled)
    return added
  }

  async #attempt(prepare: () => () => Promise<void>): Promise<void> {
    if (this.#closed) throw invalid('it is finished: nothing can be added or removed any more')
    const run = prepare()
    await this.#queue
    this.#checkWanted()
    if (this.#failure !== null) throw this.#failure
    await run()
  }

  #checkNew(name: string): void {
    if (typeof name !== 'string') throw invalid('the name of a file is a string')
    const refused = refuseFileName(name)
    if (refused !== null) throw new QuorateError('INVALID', `${refused}.`)
    if (this.#names.has(name)) throw invalid(`file ${JSON.stringify(name)} is there already`)
  }

  #checkWanted(): void {
    if (!this.#signal.aborted) return
    throw new QuorateError('ABORTED', 'The snapshot is not needed any more.', { cause: this.#signal.reason })
  }

  async #write(name: string, pieces: Iterable<unknown> | AsyncIterable<unknown>): Promise<void> {
    const window = new Window(MAX_WRITES_UNDER_WAY)
    const chunks = new ChunkBuffer()
    const put = (bytes: Uint8Array): Promise<void> => {
      this.#progress.doneBytes += bytes.length
      return window.start((done) => this.#save.write(name, bytes, done))
    }
    for await (const piece of pieces) {
      this.#checkWanted()
      if (!(piece instanceof Uint8Array)) throw noBytes(name, piece)
      for (const full of chunks.addCopy(piece)) {
        await put(full)
        // Promises alone would leave nothing else its turn until the disk is behind.
        await this.#turn()
      }
    }
    const rest = chunks.end()
    if (rest !== null) await put(rest)
    await window.drain()
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.defer(resolve))
  }

  async #asked<T>(ask: (done: SnapshotDone<T>) => void): Promise<T> {
    return new Promise((resolve, reject) =>
      ask((result) => (result.ok ? resolve(result.value) : reject(result.error))),
    )
  }

  #done(ask: (done: StorageDone) => void): Promise<void> {
    return new Promise((resolve, reject) => ask((error) => (error === null ? resolve() : reject(error))))
  }
}

/** Lets so many writes be under way; who comes next waits for one of them. */
class Window {
  readonly #most: number
  #underWay = 0
  #failure: StorageError | null = null
  #wake: () => void = () => {}

  constructor(most: number) {
    this.#most = most
  }

  async start(write: (done: StorageDone) => void): Promise<void> {
    await this.#until(this.#most - 1)
    this.#underWay++
    write((error) => {
      this.#underWay--
      this.#failure ??= error
      this.#wake()
    })
  }

  drain(): Promise<void> {
    return this.#until(0)
  }

  async #until(atMost: number): Promise<void> {
    while (this.#underWay > atMost && this.#failure === null)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    if (this.#failure !== null) throw this.#failure
  }
}

function piecesOf(name: string, content: unknown): Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof content === 'string') throw noBytes(name, content)
  if (isIterable(content) || isAsyncIterable(content)) return content
  throw invalid(`the content of file ${JSON.stringify(name)} is neither a Uint8Array nor an iterable of them`)
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

export function isAsyncIterable<T = unknown>(value: unknown): value is AsyncIterable<T> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

function noBytes(name: string, piece: unknown): QuorateError {
  const text = typeof piece === 'string' ? ' Text is encoded with new TextEncoder().encode(text).' : ''
  const what = `the content of file ${JSON.stringify(name)} has a ${typeof piece} where a Uint8Array belongs.`
  return new QuorateError('INVALID', `Snapshot: ${what}${text}`)
}

function encodeMeta(name: string, userMeta: unknown): Uint8Array | null {
  if (userMeta === undefined || userMeta === null) return null
  try {
    return encodeValue(userMeta, META_LIMITS)
  } catch (error) {
    throw invalid(`the userMeta of file ${JSON.stringify(name)} cannot be kept: ${messageOf(error)}`)
  }
}

function invalid(what: string): QuorateError {
  return new QuorateError('INVALID', `Snapshot: ${what}.`)
}
