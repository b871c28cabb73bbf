// A snapshot that is being read, as its caller holds it.

import {
  MAX_SNAPSHOT_CALL_BYTES,
  type SnapshotDone,
  type SnapshotReader,
  type SnapshotRecord,
} from '../snapshot-store.ts'
import type { Asking } from './asking.ts'
import type { ReaderNumber } from './calls.ts'

export class ReaderHandle implements SnapshotReader {
  readonly record: SnapshotRecord
  readonly #asking: Asking
  readonly #reader: ReaderNumber
  #closed = false

  constructor(asking: Asking, reader: ReaderNumber, record: SnapshotRecord) {
    this.#asking = asking
    this.#reader = reader
    this.record = record
  }

  read(name: string, offset: number, maxBytes: number, done: SnapshotDone<Uint8Array>): void {
    const senseless = refuseRange(offset, maxBytes)
    const invalid = senseless ?? this.#asking.underWay.take(maxBytes)
    const end: SnapshotDone<Uint8Array> = (result) => {
      if (invalid === null) this.#asking.underWay.give(maxBytes)
      done(result)
    }
    this.#asking.ask('read', { reader: this.#reader, name, offset, maxBytes }, end, invalid)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#asking.ask('closeReader', { reader: this.#reader }, () => {})
  }
}

function refuseRange(offset: number, maxBytes: number): string | null {
  if (!Number.isSafeInteger(offset) || offset < 0) return `nothing can be read from ${offset} on`
  if (Number.isSafeInteger(maxBytes) && maxBytes > 0 && maxBytes <= MAX_SNAPSHOT_CALL_BYTES) return null
  return `${maxBytes} bytes cannot be read at once: from 1 to ${MAX_SNAPSHOT_CALL_BYTES} can`
}
