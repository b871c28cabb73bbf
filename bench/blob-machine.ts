// A state machine whose snapshot has the size it is told: made when it is saved and counted when it is loaded, so that memory
// and time are the library's.

import type { SnapshotFileInput, SnapshotReader, StateMachine } from '../src/index.ts'

const PIECE_BYTES = 1024 * 1024

export class BlobMachine implements StateMachine<Uint8Array, number> {
  readonly #bytes: number
  #total = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  apply(): number {
    this.#total++
    return this.#total
  }

  onSnapshotSave(): AsyncIterable<SnapshotFileInput> {
    return filesOf(this.#total, this.#bytes)
  }

  async onSnapshotLoad(reader: SnapshotReader): Promise<void> {
    const total = Number(Buffer.from(await reader.readAll('total')).toString())
    let bytes = 0
    for await (const piece of reader.open('blob')) bytes += piece.length
    if (bytes !== this.#bytes) throw new Error(`The blob has ${bytes} bytes instead of ${this.#bytes}.`)
    this.#total = total
  }
}

async function* filesOf(total: number, bytes: number): AsyncGenerator<SnapshotFileInput> {
  yield { name: 'total', content: Buffer.from(String(total)) }
  yield { name: 'blob', content: piecesOf(bytes) }
}

/** No two are equal, as in a real state: equal ones would not be fetched twice. */
function* piecesOf(bytes: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes - at), 65)
    if (piece.length >= 8) piece.writeDoubleLE(at)
    yield piece
  }
}
