// The reader that a state machine is handed when it loads: the files of a snapshot, checked as they are read.

import { QuorateError } from '../../errors.ts'
import type { SnapshotMeta } from '../../rules/types.ts'
import type { SnapshotFileInfo, SnapshotReader } from '../../state-machine.ts'
import {
  MAX_SNAPSHOT_CALL_BYTES,
  type SnapshotFile,
  type SnapshotReader as StoredReader,
} from '../../storage/snapshot-store.ts'
import { decodeValue } from '../../transport/wire/codec.ts'

/** Read at once: large enough for the disk, small enough for the loop. */
const PIECE_BYTES = MAX_SNAPSHOT_CALL_BYTES / 4

export class UserReader implements SnapshotReader {
  readonly meta: SnapshotMeta
  readonly #stored: StoredReader
  readonly #files: ReadonlyMap<string, SnapshotFile>

  constructor(stored: StoredReader) {
    const { meta, files } = stored.record
    this.meta = structuredClone(meta)
    this.#stored = stored
    this.#files = new Map(files.map((file) => [file.name, file]))
  }

  files(): readonly SnapshotFileInfo[] {
    return [...this.#files.values()].map(fileInfo)
  }

  open(name: string): AsyncIterable<Uint8Array> {
    return this.#pieces(this.#find(name))
  }

  async readAll(name: string): Promise<Uint8Array> {
    const file = this.#find(name)
    const whole = new Uint8Array(file.bytes)
    let at = 0
    for await (const piece of this.#pieces(file)) {
      whole.set(piece, at)
      at += piece.length
    }
    return whole
  }

  /** The next piece is on its way while one is looked at. */
  async *#pieces({ name, bytes }: SnapshotFile): AsyncGenerator<Uint8Array, void> {
    let next = bytes === 0 ? null : this.#read(name, 0)
    for (let offset = 0; next !== null; ) {
      const piece = await next
      offset += piece.length
      next = offset < bytes ? this.#read(name, offset) : null
      // Whoever stops reading here does not wait for it: that it failed is then nobody's concern.
      next?.catch(() => {})
      yield piece
    }
  }

  #read(name: string, offset: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) =>
      this.#stored.read(name, offset, PIECE_BYTES, (result) => {
        if (!result.ok)
          return reject(new QuorateError('STORAGE', result.error.message, { cause: result.error }))
        if (result.value.length > 0) return resolve(result.value)
        reject(new QuorateError('STORAGE', `File ${JSON.stringify(name)} ends at ${offset}, before its end.`))
      }),
    )
  }

  #find(name: string): SnapshotFile {
    const file = this.#files.get(name)
    if (file !== undefined) return file
    throw new QuorateError('INVALID', `Snapshot: there is no file ${JSON.stringify(name)}.`)
  }
}

/** A file as users see it. */
export function fileInfo({ name, bytes, digest, userMeta }: SnapshotFile): SnapshotFileInfo {
  const decoded = userMeta === null ? null : decodeValue(userMeta)
  return {
    name,
    bytes,
    checksum: Buffer.from(digest).toString('hex'),
    userMeta: decoded?.ok === true ? decoded.value : null,
  }
}
