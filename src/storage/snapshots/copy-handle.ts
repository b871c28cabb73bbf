// A copy of another member's snapshot as its caller holds it.

import type { MissingRange, SnapshotCopy, SnapshotDone, SnapshotRecord } from '../snapshot-store.ts'
import type { StorageDone } from '../storage.ts'
import { type Asking, toStorageDone } from './asking.ts'
import type { WriterNumber } from './calls.ts'

/** What is there of a copy that begins or goes on. */
export interface Presence {
  readonly missing: readonly MissingRange[]
  readonly presentBytes: number
}

export class CopyHandle implements SnapshotCopy {
  readonly record: SnapshotRecord
  readonly missing: readonly MissingRange[]
  readonly presentBytes: number
  readonly #asking: Asking
  readonly #writer: WriterNumber
  readonly #published: (record: SnapshotRecord) => void

  constructor(
    asking: Asking,
    writer: WriterNumber,
    record: SnapshotRecord,
    { missing, presentBytes }: Presence,
    published: (record: SnapshotRecord) => void,
  ) {
    this.record = record
    this.missing = missing
    this.presentBytes = presentBytes
    this.#asking = asking
    this.#writer = writer
    this.#published = published
  }

  write(name: string, offset: number, data: Uint8Array, done: StorageDone): void {
    const { length } = data
    const invalid = this.#asking.underWay.take(length)
    const end: StorageDone = (error) => {
      if (invalid === null) this.#asking.underWay.give(length)
      done(error)
    }
    this.#asking.ask('put', { writer: this.#writer, name, offset, data }, toStorageDone(end), invalid)
  }

  publish(done: SnapshotDone<SnapshotRecord>): void {
    this.#asking.ask('publish', { writer: this.#writer }, (result) => {
      if (result.ok) this.#published(result.value)
      done(result)
    })
  }

  pause(done: StorageDone): void {
    this.#asking.ask('leave', { writer: this.#writer }, toStorageDone(done))
  }
}
