// What is left to fetch of a snapshot, chunk by chunk, and what is under way: never more than a window of chunks, which
// bounds memory and what stands in the way of others.

import { type MissingRange, SNAPSHOT_CHUNK_BYTES } from '../../storage/snapshot-store.ts'

/** A chunk under way: its pieces are fetched one after the other, then it is written as a whole. */
export interface Chunk {
  readonly name: string
  /** Where it begins in its file. */
  readonly offset: number
  readonly bytes: number
  /** Of the chunk, from its beginning. */
  fetchedBytes: number
  /** Pieces so far; null: none yet, or handed to the disk. */
  data: Uint8Array | null
}

/** Chunks that are fetched at a time: enough to keep the way and the other disk busy, too few to be in anybody's way. */
const WINDOW_CHUNKS = 4
/** Chunks that are fetched or wait for the disk: it syncs for a while now and then, and fetching goes on meanwhile. */
const MAX_CHUNKS_HELD = 32

export class FetchPlan {
  readonly #missing: readonly MissingRange[]
  #range = 0
  /** Of the range. */
  #offset: number
  readonly #underWay = new Set<Chunk>()
  /** Of those under way, how many have not come as a whole. */
  #fetching = 0
  /** Under way, but nobody has been asked for its next piece. */
  readonly #waiting: Chunk[] = []

  constructor(missing: readonly MissingRange[]) {
    this.#missing = missing.filter(({ from, to }) => from < to)
    this.#offset = this.#missing[0]?.from ?? 0
  }

  /** Everything has been fetched and written. */
  get isComplete(): boolean {
    return this.#underWay.size === 0 && this.#range >= this.#missing.length
  }

  /** The next chunk that a piece can be asked for; null: the window is full, or nothing is left. */
  next(): Chunk | null {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) return waiting
    const range = this.#missing[this.#range]
    if (range === undefined || this.#isFull) return null
    const offset = this.#offset
    const bytes = Math.min(SNAPSHOT_CHUNK_BYTES - (offset % SNAPSHOT_CHUNK_BYTES), range.to - offset)
    this.#offset += bytes
    if (this.#offset >= range.to) {
      this.#range++
      this.#offset = this.#missing[this.#range]?.from ?? 0
    }
    const chunk = { name: range.name, offset, bytes, fetchedBytes: 0, data: null }
    this.#underWay.add(chunk)
    this.#fetching++
    return chunk
  }

  get #isFull(): boolean {
    return this.#fetching >= WINDOW_CHUNKS || this.#underWay.size >= MAX_CHUNKS_HELD
  }

  /** Its next piece has to be asked for, again or at all. */
  postpone(chunk: Chunk): void {
    this.#waiting.push(chunk)
  }

  /** Takes a piece; the whole chunk when it is the last one of it. */
  take(chunk: Chunk, piece: Uint8Array): Uint8Array | null {
    if (chunk.fetchedBytes === 0 && piece.length === chunk.bytes) {
      chunk.fetchedBytes = chunk.bytes
      this.#fetching--
      return piece
    }
    chunk.data ??= new Uint8Array(chunk.bytes)
    chunk.data.set(piece, chunk.fetchedBytes)
    chunk.fetchedBytes += piece.length
    if (chunk.fetchedBytes < chunk.bytes) return null
    const { data } = chunk
    chunk.data = null
    this.#fetching--
    return data
  }

  /** It is the disk's now, for good. */
  written(chunk: Chunk): void {
    this.#underWay.delete(chunk)
  }
}
