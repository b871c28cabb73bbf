// The packed form in which write operations travel to the disk thread: one buffer per transaction, whatever it holds.
// Both ends are of the same build and process, so the form is neither versioned nor checked.

import type { EntryType, HardState, LogEntry, LogIndex, Term } from '../../rules/types.ts'
import { isEntryType } from '../storage.ts'

const APPEND = 1
const TRUNCATE_SUFFIX = 2
const TRUNCATE_PREFIX = 3
const RESET = 4
const HARD_STATE = 5

const APPEND_HEAD = 1 + 4 + 8 + 8 + 1 + 4 + 4
const NO_VOTE = 0xffff_ffff
/**
 * A packer is full when its bytes and rows weigh this much, whatever they are asked for in: that bounds the transaction,
 * the time one commit holds the disk thread (about 10 ms), and what it adds to the write-ahead log.
 */
export const MAX_WEIGHT = 2 * 1024 * 1024
/** A row costs as much as so many bytes of data. */
export const ROW_WEIGHT = 128

/** Entries one after the other, all of one term and type. Sizes and bytes stay in `buffer`. */
export interface AppendRun {
  readonly kind: 'append'
  readonly group: number
  readonly firstIndex: LogIndex
  readonly term: Term
  readonly type: EntryType
  readonly count: number
  readonly dataBytes: number
  readonly buffer: ArrayBuffer
  /** `count` little-endian u32 begin here. */
  readonly sizesAt: number
  /** `dataBytes` bytes begin here, entry after entry. */
  readonly dataAt: number
}

export type Operation =
  | AppendRun
  | { readonly kind: 'truncateSuffix'; readonly group: number; readonly lastKept: LogIndex }
  | {
      readonly kind: 'truncatePrefix' | 'reset'
      readonly group: number
      readonly firstIndex: LogIndex
      readonly termBeforeFirst: Term
    }
  | { readonly kind: 'hardState'; readonly group: number; readonly state: HardState }

/** Collects operations in a buffer it owns and grows. Entry bytes are copied exactly once, here. */
export class OperationPacker {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView<ArrayBuffer>
  #at = 0
  #rows = 0

  constructor(buffer: ArrayBuffer) {
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
  }

  get byteLength(): number {
    return this.#at
  }

  /** The buffer, to be transferred: the packer must not be used afterwards. */
  get buffer(): ArrayBuffer {
    return this.#bytes.buffer
  }

  /** No more is to be packed here: the next operation goes into another transaction. */
  get isFull(): boolean {
    return this.#at + this.#rows * ROW_WEIGHT >= MAX_WEIGHT
  }

  /** Packs entries from position `from` on until it is full, at least one; returns the position where it stopped. */
  append(group: number, entries: readonly LogEntry[], from: number): number {
    let next = from
    while (next < entries.length && (next === from || !this.isFull))
      next = this.#appendRun(group, entries, next)
    return next
  }

  truncateSuffix(group: number, lastKept: LogIndex): void {
    this.#begin(TRUNCATE_SUFFIX, group, 8)
    this.#float(lastKept)
  }

  truncatePrefix(group: number, firstKept: LogIndex, termBeforeFirst: Term): void {
    this.#begin(TRUNCATE_PREFIX, group, 16)
    this.#float(firstKept)
    this.#float(termBeforeFirst)
  }

  reset(group: number, nextIndex: LogIndex, termBeforeFirst: Term): void {
    this.#begin(RESET, group, 16)
    this.#float(nextIndex)
    this.#float(termBeforeFirst)
  }

  hardState(group: number, state: HardState): void {
    const vote = state.votedFor === null ? null : new TextEncoder().encode(state.votedFor)
    this.#begin(HARD_STATE, group, 8 + 4 + (vote?.length ?? 0))
    this.#float(state.term)
    this.#uint(vote?.length ?? NO_VOTE)
    if (vote === null) return
    this.#bytes.set(vote, this.#at)
    this.#at += vote.length
  }

  /** Packs the entries from `from` on that share term and type, as far as they fit; returns where the next run begins. */
  #appendRun(group: number, entries: readonly LogEntry[], from: number): number {
    const head = entries[from]
    if (head === undefined) return entries.length
    let to = from
    let dataBytes = 0
    let room = MAX_WEIGHT - this.#at - this.#rows * ROW_WEIGHT
    for (; to < entries.length && (room > 0 || to === from); to++) {
      const entry = entries[to]
      if (entry === undefined || entry.term !== head.term || entry.type !== head.type) break
      dataBytes += entry.data.length
      room -= entry.data.length + ROW_WEIGHT
    }
    const count = to - from
    this.#rows += count
    this.#begin(APPEND, group, APPEND_HEAD + 4 * count + dataBytes)
    this.#float(head.index)
    this.#float(head.term)
    this.#view.setUint8(this.#at++, head.type)
    this.#uint(count)
    this.#uint(dataBytes)
    this.#copyData(entries, from, to)
    return to
  }

  #copyData(entries: readonly LogEntry[], from: number, to: number): void {
    const bytes = this.#bytes
    const view = this.#view
    let sizeAt = this.#at
    let dataAt = sizeAt + 4 * (to - from)
    for (let i = from; i < to; i++) {
      const data = entries[i]?.data
      if (data === undefined) continue
      view.setUint32(sizeAt, data.length, true)
      sizeAt += 4
      bytes.set(data, dataAt)
      dataAt += data.length
    }
    this.#at = dataAt
  }

  #begin(kind: number, group: number, moreBytes: number): void {
    this.#reserve(5 + moreBytes)
    this.#view.setUint8(this.#at++, kind)
    this.#uint(group)
  }

  #uint(value: number): void {
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
  }

  #float(value: number): void {
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  #reserve(moreBytes: number): void {
    const needed = this.#at + moreBytes
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(new ArrayBuffer(Math.max(needed, 2 * this.#bytes.length)))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** The operations in a packed buffer, in the order in which they were asked for. */
export function* unpackOperations(buffer: ArrayBuffer, byteLength: number): Generator<Operation, void, void> {
  const view = new DataView(buffer)
  for (let at = 0; at < byteLength; ) {
    const kind = view.getUint8(at)
    const group = view.getUint32(at + 1, true)
    const index = view.getFloat64(at + 5, true)
    switch (kind) {
      case APPEND: {
        const run = readRun(view, at, group, index)
        at = run.dataAt + run.dataBytes
        yield run
        break
      }
      case TRUNCATE_SUFFIX:
        at += 13
        yield { kind: 'truncateSuffix', group, lastKept: index }
        break
      case TRUNCATE_PREFIX:
      case RESET: {
        const termBeforeFirst = view.getFloat64(at + 13, true)
        at += 21
        yield {
          kind: kind === RESET ? 'reset' : 'truncatePrefix',
          group,
          firstIndex: index,
          termBeforeFirst,
        }
        break
      }
      case HARD_STATE: {
        const voteBytes = view.getUint32(at + 13, true)
        at += 17
        const vote = voteBytes === NO_VOTE ? null : new Uint8Array(buffer, at, voteBytes)
        at += vote?.length ?? 0
        yield {
          kind: 'hardState',
          group,
          state: { term: index, votedFor: vote && new TextDecoder().decode(vote) },
        }
        break
      }
      default:
        throw new TypeError(`unknown operation ${kind} at byte ${at}`)
    }
  }
}

function readRun(view: DataView<ArrayBuffer>, at: number, group: number, firstIndex: LogIndex): AppendRun {
  const type = view.getUint8(at + 21)
  if (!isEntryType(type)) throw new TypeError(`unknown entry type ${type} at byte ${at}`)
  const count = view.getUint32(at + 22, true)
  const sizesAt = at + 30
  return {
    kind: 'append',
    group,
    firstIndex,
    term: view.getFloat64(at + 13, true),
    type,
    count,
    dataBytes: view.getUint32(at + 26, true),
    buffer: view.buffer,
    sizesAt,
    dataAt: sizesAt + 4 * count,
  }
}
