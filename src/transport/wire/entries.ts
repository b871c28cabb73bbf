// Entries on the wire: runs of (term, type, count) beside an array of byte strings. Indexes do not travel; they follow
// from the position before the first entry, so that a batch is contiguous by construction.

import { EntryType, isEntryType, type LogEntry, type LogIndex, type Term } from '../../rules/types.ts'

/** Most bytes of one AppendEntries; nats-server itself warns beyond this payload. */
export const MAX_APPEND_BYTES = 8 * 1024 * 1024
/** Kept free in an AppendEntries for everything but its entries, generously. */
export const FRAME_RESERVE_BYTES = 8 * 1024
/** Most entries that one AppendEntries may carry. */
export const MAX_ENTRIES_PER_FRAME = 16_384
/** Most runs of equal term and type in one AppendEntries. */
export const MAX_RUNS_PER_FRAME = 4096
/** What an entry can add to a frame beside its data: its own head and, at worst, a run of its own. */
export const MAX_ENTRY_OVERHEAD_BYTES = 32

export interface FrameLimits {
  readonly maxEntries: number
  /** Of their data alone. At least one entry goes into a frame, however large. */
  readonly maxBytes: number
}

/** `wanted`, lowered until entries and what they add to a frame together stay below `roomBytes`. */
export function fitFrame(wanted: FrameLimits, roomBytes: number): FrameLimits {
  // Many tiny entries are mostly overhead: at most half of the room is set aside for it.
  const affordable = Math.floor(roomBytes / (2 * MAX_ENTRY_OVERHEAD_BYTES))
  const maxEntries = Math.max(1, Math.min(wanted.maxEntries, affordable))
  const maxBytes = Math.max(1, Math.min(wanted.maxBytes, roomBytes - maxEntries * MAX_ENTRY_OVERHEAD_BYTES))
  return { maxEntries, maxBytes }
}

/** As many entries, from the front, as the runs of one frame can describe: all of them, unless terms change wildly. */
export function withinRuns(entries: readonly LogEntry[], maxRuns = MAX_RUNS_PER_FRAME): readonly LogEntry[] {
  if (entries.length <= maxRuns) return entries
  let runs = 0
  let last: LogEntry | undefined
  for (const [at, entry] of entries.entries()) {
    if (last === undefined || entry.term !== last.term || entry.type !== last.type) runs += 1
    if (runs > maxRuns) return entries.slice(0, at)
    last = entry
  }
  return entries
}

export type EntryRun = readonly [term: Term, type: EntryType, count: number]

export function packRuns(entries: readonly LogEntry[]): EntryRun[] {
  const runs: EntryRun[] = []
  let start = 0
  for (let i = 1; i <= entries.length; i += 1) {
    const first = entries[start]
    const next = entries[i]
    if (first === undefined) break
    if (next !== undefined && next.term === first.term && next.type === first.type) continue
    runs.push([first.term, first.type, i - start])
    start = i
  }
  return runs
}

/** One loop instead of a schema per entry: what is checked here is everything that `unpackEntries` relies on. */
export function isDataList(value: unknown): value is Uint8Array[] {
  if (!Array.isArray(value) || value.length > MAX_ENTRIES_PER_FRAME) return false
  for (let i = 0; i < value.length; i += 1) if (!(value[i] instanceof Uint8Array)) return false
  return true
}

/** Runs of valid terms and types; terms never go back within a log, so neither do they here. */
export function isRunList(value: unknown): value is EntryRun[] {
  if (!Array.isArray(value) || value.length > MAX_RUNS_PER_FRAME) return false
  let lastTerm = 1
  for (const run of value) {
    if (!Array.isArray(run) || run.length !== 3) return false
    const [term, type, count] = run
    if (!Number.isSafeInteger(term) || term < lastTerm || !isEntryType(type)) return false
    if (!Number.isSafeInteger(count) || count < 1) return false
    lastTerm = term
  }
  return true
}

/**
 * `undefined` when the runs do not cover exactly `data`, when an entry that is withheld has bytes, or when the indexes leave
 * the safe range.
 */
export function unpackEntries(
  prevLogIndex: LogIndex,
  runs: readonly EntryRun[],
  data: readonly Uint8Array[],
): LogEntry[] | undefined {
  if (!Number.isSafeInteger(prevLogIndex + data.length)) return undefined
  const entries: LogEntry[] = []
  let index = prevLogIndex
  let at = 0
  for (const [term, type, count] of runs) {
    if (at + count > data.length) return undefined
    for (const end = at + count; at < end; at += 1) {
      const bytes = data[at]
      // What is withheld has no bytes: a sender that says both is not to be believed in either.
      if (bytes === undefined || (type === EntryType.WITHHELD && bytes.length > 0)) return undefined
      index += 1
      entries.push({ index, term, type, data: bytes })
    }
  }
  return at === data.length ? entries : undefined
}
