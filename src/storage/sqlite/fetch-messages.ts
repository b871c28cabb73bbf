// What the main thread and the fetch thread say to each other. Entries travel in one buffer that changes hands, beside
// a few numbers, so that the main thread has next to nothing to do for each.

import { EntryType, type LogEntry, type LogIndex, type Term } from '../../rules/types.ts'
import type { RowsRead } from '../claimed-read.ts'
import { type Failure, fromFailure, toFailure } from './failure.ts'
import type { GroupIdentity } from './log-reader.ts'
import type { StoredRun } from './run-reader.ts'

/** Handed to the fetch thread when it starts. */
export interface FetchThreadOptions {
  readonly file: string
}

export interface FetchRequest {
  readonly group: GroupIdentity
  readonly from: LogIndex
  readonly to: LogIndex
  readonly maxBytes: number
}

/** So many entries of one term and type, one after the other. */
interface Run {
  readonly term: Term
  readonly type: EntryType
  count: number
}

export interface FetchResponse {
  readonly from: LogIndex
  readonly count: number
  readonly runs: readonly Readonly<Run>[]
  /** `count` sizes of 32 bits, then the data, entry after entry. */
  readonly buffer: ArrayBuffer
  readonly failure: { readonly index: LogIndex; readonly failure: Failure } | null
}

export function packRows(from: LogIndex, { entries, failure }: RowsRead): FetchResponse {
  const sizesBytes = 4 * entries.length
  const buffer = new ArrayBuffer(entries.reduce((sum, { data }) => sum + data.length, sizesBytes))
  const sizes = new Uint32Array(buffer, 0, entries.length)
  const bytes = new Uint8Array(buffer)
  const runs: Run[] = []
  let at = sizesBytes
  entries.forEach(({ term, type, data }, position) => {
    sizes[position] = data.length
    bytes.set(data, at)
    at += data.length
    const run = runs.at(-1)
    if (run !== undefined && run.term === term && run.type === type) run.count++
    else runs.push({ term, type, count: 1 })
  })
  const packed = failure && { index: failure.index, failure: toFailure(failure.error, 'reading') }
  return { from, count: entries.length, runs, buffer, failure: packed }
}

export function packRun({ from, term, sizes, data }: StoredRun): FetchResponse {
  const buffer = new ArrayBuffer(4 * sizes.length + data.length)
  new Uint32Array(buffer, 0, sizes.length).set(sizes)
  new Uint8Array(buffer).set(data, 4 * sizes.length)
  const count = sizes.length
  return { from, count, runs: [{ term, type: EntryType.DATA, count }], buffer, failure: null }
}

export function unpackRows({ from, count, runs, buffer, failure }: FetchResponse): RowsRead {
  const sizes = new Uint32Array(buffer, 0, count)
  const entries: LogEntry[] = []
  let at = 4 * count
  for (const { term, type, count: length } of runs) {
    for (const end = entries.length + length; entries.length < end; ) {
      const size = sizes[entries.length] ?? 0
      entries.push({ index: from + entries.length, term, type, data: new Uint8Array(buffer, at, size) })
      at += size
    }
  }
  return { entries, failure: failure && { index: failure.index, error: fromFailure(failure.failure) } }
}
