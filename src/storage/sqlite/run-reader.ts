// Reads many small commands of one term at once: SQLite strings them together, so that a row costs a third of what it does
// when each is fetched. What it cannot vouch for, entry by entry, it leaves to the log reader, which says what is wrong.

import type { Database, Statement } from 'better-sqlite3'
import { EntryType, type LogIndex, type Term } from '../../rules/types.ts'
import { EntryChecksum } from './checksum.ts'
import type { GroupIdentity } from './log-reader.ts'
import { positionOf } from './schema.ts'

/** Larger ones are few, and copying them is what they cost: then rows one by one are as fast. */
const MAX_FIRST_BYTES = 2048

/** Commands of one term, one after the other, each checked. */
export interface StoredRun {
  readonly from: LogIndex
  readonly term: Term
  readonly sizes: readonly number[]
  /** All of them, entry after entry. */
  readonly data: Uint8Array
}

type Range = [from: bigint, to: bigint]
type Heads = readonly [
  count: number,
  minTerm: number,
  maxTerm: number,
  minType: number,
  maxType: number,
  sizes: string,
  checksums: string,
]

export class RunReader {
  readonly #checksum = new EntryChecksum()
  readonly #firstBytes: Statement<[position: bigint], number>
  readonly #heads: Statement<Range, Heads>
  readonly #data: Statement<Range, unknown>

  constructor(db: Database) {
    // Rows come in the order of their key without being told to (which would sort them first), and checksums hold the index.
    const inRange = 'FROM log_entries WHERE position BETWEEN ? AND ?'
    this.#firstBytes = db
      .prepare<[bigint], number>('SELECT length(data) FROM log_entries WHERE position = ?')
      .pluck()
    this.#heads = db
      .prepare<Range, Heads>(
        `SELECT count(*), min(term), max(term), min(type), max(type),
           group_concat(length(data)), group_concat(checksum) ${inRange}`,
      )
      .raw()
    this.#data = db.prepare<Range, unknown>(`SELECT CAST(group_concat(data, '') AS BLOB) ${inRange}`).pluck()
  }

  /** The entries from `from` to `to`, or fewer when their data exceeds `maxBytes`; null: not in this way. */
  read(group: GroupIdentity, from: LogIndex, to: LogIndex, maxBytes: number): StoredRun | null {
    try {
      return this.#read(group.number, from, to, maxBytes)
    } catch {
      // Whoever reads row by row can say at which of them.
      return null
    }
  }

  #read(group: number, from: LogIndex, to: LogIndex, maxBytes: number): StoredRun | null {
    const start = positionOf(group, from)
    if ((this.#firstBytes.get(start) ?? Number.POSITIVE_INFINITY) > MAX_FIRST_BYTES) return null
    const heads = this.#heads.get(start, positionOf(group, to))
    if (heads === undefined) return null
    const [count, term, maxTerm, type, maxType] = heads
    if (count !== to - from + 1 || term !== maxTerm || type !== maxType || type !== EntryType.DATA)
      return null
    const sizes = fitting(heads[5].split(','), maxBytes)
    const checksums = heads[6].split(',')
    const data = this.#data.get(start, positionOf(group, from + sizes.length - 1))
    if (!(data instanceof Uint8Array)) return null
    let at = 0
    for (const [position, size] of sizes.entries()) {
      const entry = new Uint8Array(data.buffer, data.byteOffset + at, size)
      const checksum = this.#checksum.of(group, term, type, from + position, entry)
      if (checksum !== Number(checksums[position])) return null
      at += size
    }
    return at === data.length ? { from, term, sizes, data } : null
  }
}

/** As many as `maxBytes` has room for, and at least one. */
function fitting(texts: readonly string[], maxBytes: number): number[] {
  const sizes: number[] = []
  let bytes = 0
  for (const text of texts) {
    const size = Number(text)
    bytes += size
    if (bytes > maxBytes && sizes.length > 0) break
    sizes.push(size)
  }
  return sizes
}
