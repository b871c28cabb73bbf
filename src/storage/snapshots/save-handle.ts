// A save as its caller holds it. What is written is cut into chunks here, so that the engine gets whole ones whatever
// the sizes of the pieces are.

import type { SnapshotMeta } from '../../rules/types.ts'
import {
  MAX_FILES_UNDER_WAY,
  MAX_SNAPSHOT_CALL_BYTES,
  type SnapshotDone,
  type SnapshotFile,
  type SnapshotRecord,
  type SnapshotSave,
} from '../snapshot-store.ts'
import type { StorageDone, StorageError } from '../storage.ts'
import { type Asking, toStorageDone } from './asking.ts'
import type { AnswerOf, CallOf, SnapshotCallKind, WriterNumber } from './calls.ts'
import { ChunkBuffer } from './chunk-buffer.ts'
import { refuseFileName } from './file-name.ts'
import { refuseMeta, refuseUserMeta } from './record-check.ts'

export class SaveHandle implements SnapshotSave {
  readonly #asking: Asking
  readonly #writer: WriterNumber
  readonly #published: (record: SnapshotRecord) => void
  /** Why this save makes no sense at all. */
  readonly #invalid: string | null
  /** Begun and not complete. */
  readonly #buffers = new Map<string, ChunkBuffer>()
  readonly #complete = new Set<string>()
  /** The first write that failed. */
  #failure: StorageError | null = null

  constructor(
    asking: Asking,
    writer: WriterNumber,
    about: { readonly meta: SnapshotMeta; readonly takenAtMs: number },
    published: (record: SnapshotRecord) => void,
  ) {
    this.#asking = asking
    this.#writer = writer
    this.#published = published
    this.#invalid = refuseMeta(about.meta, about.takenAtMs)
    this.#ask('create', { group: asking.group, writer, ...about }, (result) => {
      if (!result.ok) this.#failure = result.error
    })
  }

  write(name: string, bytes: Uint8Array, done: StorageDone): void {
    const { length } = bytes
    const invalid = this.#refuseWrite(name, length) ?? this.#asking.underWay.take(length)
    if (invalid !== null) {
      this.#settle(invalid, done)
      return
    }
    const end: StorageDone = (error) => {
      this.#asking.underWay.give(length)
      done(error)
    }
    const chunks = this.#buffer(name).add(bytes)
    chunks.forEach((data, position) => {
      const isLast = position === chunks.length - 1
      this.#append(name, data, isLast ? end : () => {})
    })
    if (chunks.length === 0) this.#settle(null, end)
  }

  endFile(name: string, userMeta: Uint8Array | null, done: SnapshotDone<SnapshotFile>): void {
    const invalid = this.#refuseName(name) ?? refuseUserMeta(name, userMeta)
    if (invalid === null) {
      const rest = this.#buffers.get(name)?.end() ?? null
      if (rest !== null) this.#append(name, rest, () => {})
      this.#buffers.delete(name)
      this.#complete.add(name)
    }
    this.#ask('endFile', { writer: this.#writer, name, userMeta }, done, invalid)
  }

  removeFile(name: string, done: StorageDone): void {
    this.#buffers.delete(name)
    this.#complete.delete(name)
    this.#ask('removeFile', { writer: this.#writer, name }, toStorageDone(done), refuseFileName(name))
  }

  publish(done: SnapshotDone<SnapshotRecord>): void {
    const [begun] = this.#buffers.keys()
    const invalid =
      begun === undefined ? null : `file ${begun} is not complete, so that nothing can be published`
    const end: SnapshotDone<SnapshotRecord> = (result) => {
      if (result.ok) this.#published(result.value)
      done(result)
    }
    this.#ask('publish', { writer: this.#writer }, end, invalid)
  }

  discard(done: StorageDone): void {
    this.#buffers.clear()
    this.#asking.ask('leave', { writer: this.#writer }, toStorageDone(done))
  }

  #buffer(name: string): ChunkBuffer {
    const known = this.#buffers.get(name)
    if (known !== undefined) return known
    const created = new ChunkBuffer()
    this.#buffers.set(name, created)
    return created
  }

  #refuseWrite(name: string, bytes: number): string | null {
    if (bytes > MAX_SNAPSHOT_CALL_BYTES)
      return `${bytes} bytes in one write are more than the ${MAX_SNAPSHOT_CALL_BYTES} allowed`
    const isNew = !this.#buffers.has(name)
    if (isNew && this.#buffers.size >= MAX_FILES_UNDER_WAY)
      return `more than ${MAX_FILES_UNDER_WAY} files are written at once`
    return this.#refuseName(name)
  }

  #refuseName(name: string): string | null {
    return refuseFileName(name) ?? (this.#complete.has(name) ? `file ${name} is complete already` : null)
  }

  #ask<Kind extends SnapshotCallKind>(
    kind: Kind,
    call: CallOf<Kind>,
    done: SnapshotDone<AnswerOf<Kind>>,
    invalid: string | null = null,
  ): void {
    const end: SnapshotDone<AnswerOf<Kind>> = (result) =>
      done(result.ok ? result : { ok: false, error: this.#failure ?? result.error })
    this.#asking.ask(kind, call, end, this.#invalid ?? invalid)
  }

  #append(name: string, data: Uint8Array, done: StorageDone): void {
    const end: SnapshotDone<null> = (result) => {
      if (!result.ok) this.#failure ??= result.error
      done(this.#failure)
    }
    this.#ask('append', { writer: this.#writer, name, data }, end)
  }

  #settle(invalid: string | null, done: StorageDone): void {
    this.#asking.settle(this.#invalid ?? invalid, () => this.#failure, done)
  }
}
