// The contract between consensus and disk. Every write is asynchronous and ends in one callback, once; callbacks of
// one host come in the order in which the writes were asked for, across groups and kinds of record. A callback that
// throws is reported, and costs nobody else theirs: its own group takes nothing more from then on (FAULT).

import type { HardState, Identity, IndexRange, LogEntry, LogIndex, Term } from '../rules/types.ts'
import type { HistogramFigures } from '../runtime/histogram.ts'
import type { SnapshotDone, SnapshotStore } from './snapshot-store.ts'
import type { StorageDone, StorageError } from './storage-error.ts'

export { isEntryType } from '../rules/types.ts'
export { type StorageDone, StorageError, type StorageErrorCode } from './storage-error.ts'

/** The disk of one process: every group it carries shares it, and group commit spans all of them. */
export interface Storage {
  /**
   * Opens a group's log and meta record and creates them when they are not there. Reads entry headers (or less),
   * configuration entries, and of data entries only those where a term begins or ends, to check them. Fails with
   * CORRUPT on a gap in the indexes. A group is open once at a time: INVALID otherwise. Sees everything asked for
   * before, and may be answered after writes that were asked for later: a long log is looked through in slices.
   */
  openGroup(group: string, done: (result: OpenGroupResult) => void): void
  /** Opens a group's snapshots. CORRUPT, naming the snapshot, when what is there cannot be read. Open once at a time. */
  openSnapshots(group: string, done: SnapshotDone<SnapshotStore>): void
  /**
   * Finishes what was asked for, then lets go of files and threads. Repeating it is harmless. It ends, with IO, even if
   * the disk does not answer any more.
   */
  close(done: StorageDone): void
  /** Drops everything at once, as if the process had been killed. Resolves when the files can be opened again. */
  destroy?(): Promise<void>
  /** How the disk is doing; for status and logs. */
  diskStatus?(): DiskStatus
  /** For metrics. */
  figures?(): StorageFigures
}

/** What a storage has counted since it was opened. */
export interface StorageFigures {
  /** One transaction with its sync, as the disk thread sees it. */
  readonly writeSeconds: HistogramFigures
  /** Of all groups together, in one transaction. */
  readonly writeBytes: HistogramFigures
  readonly walBytes: number
  readonly databaseBytes: number
}

/** What an operator should know about the disk. */
export interface DiskStatus {
  /** Size of the write-ahead log: what is durable and not yet moved to its place, or the room kept for it. */
  readonly walBytes: number
  /** Size of the database that the log is in. */
  readonly databaseBytes: number
  /**
   * For how long another program that reads the database (a backup, a shell) has kept the write-ahead log from
   * shrinking; `null`: none does. It grows by all that is written meanwhile.
   */
  readonly blockedByReaderMs: number | null
  /** Room that is left where the database is. Left out: it is not known. */
  readonly freeBytes?: number | undefined
  /** How long writes have taken. Left out: it is not known, or nothing was written. */
  readonly writes?: WriteTimes | undefined
}

/** Of transactions with their sync, since the storage was opened: upper ends of the buckets they were counted in. */
export interface WriteTimes {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type OpenGroupResult =
  | { readonly ok: true; readonly store: GroupStore; readonly stored: StoredGroup }
  | { readonly ok: false; readonly error: StorageError }

/** What was on disk when the group was opened. */
export interface StoredGroup {
  /** `null`: never written. It is not the same as term 0. */
  readonly hardState: HardState | null
  /** 1 unless a prefix was dropped. */
  readonly firstIndex: LogIndex
  /** `firstIndex - 1` when the log is empty. */
  readonly lastIndex: LogIndex
  /** Term of the entry just before `firstIndex`, 0 when unknown or when `firstIndex` is 1. */
  readonly termBeforeFirst: Term
  /** Run-length terms, ascending, the first run beginning at `firstIndex`; empty when the log is empty. */
  readonly terms: readonly TermRun[]
  /** Every CONFIGURATION entry of the log in full, ascending. */
  readonly configurations: readonly LogEntry[]
  /** From the first to the last WITHHELD entry of the log; null: it has none. Files that have one are a witness's. */
  readonly withheld: IndexRange | null
  /**
   * Drawn at random when the group's files were made, and the same ever since; durable when the group is open. Left out
   * by a storage that draws none: then nobody notices when the files are lost.
   */
  readonly identity?: Identity
}

/** From `firstIndex` on (up to the next run, or the end of the log) all entries are of `term`. */
export interface TermRun {
  readonly firstIndex: LogIndex
  readonly term: Term
}

export interface ReadLimits {
  readonly maxEntries: number
  /** Payload bytes; at least one entry is returned even if it alone is larger. */
  readonly maxBytes: number
}

/** What an asynchronous read has found. */
export type FetchResult =
  /** None when the log ends before the first index asked for. */
  | { readonly kind: 'entries'; readonly entries: readonly LogEntry[] }
  /** The first index asked for is not in the log any more: it begins at `firstIndex` now. */
  | { readonly kind: 'compacted'; readonly firstIndex: LogIndex }
  | { readonly kind: 'failed'; readonly error: StorageError }

export type FetchDone = (result: FetchResult) => void

/** An asynchronous read under way. */
export interface Fetch {
  /** Its `done` will not be called, unless it has been. */
  cancel(): void
}

/** One group's log and meta record. Write calls never throw: whatever goes wrong reaches `done`. */
export interface GroupStore {
  /**
   * Appends contiguous entries; the first one must follow the last one asked for, and a WITHHELD one has no data
   * (INVALID otherwise). `entries` is not kept. Without
   * entries it is a barrier: `done` comes when everything asked for before is durable.
   */
  append(entries: readonly LogEntry[], done: StorageDone): void
  /** Removes every entry after `lastKept`; nothing when the log ends there or before. */
  truncateSuffix(lastKept: LogIndex, done: StorageDone): void
  /**
   * Removes every entry before `firstKept` and remembers the term of `firstKept - 1`. Beyond the end the log is empty
   * and begins at `firstKept`; a `firstKept` below the first index changes nothing.
   */
  truncatePrefix(firstKept: LogIndex, termBeforeFirst: Term, done: StorageDone): void
  /** Empties the log, which then begins at `nextIndex`. */
  reset(nextIndex: LogIndex, termBeforeFirst: Term, done: StorageDone): void
  /** Replaces term and vote, as one record. */
  saveHardState(state: HardState, done: StorageDone): void
  /**
   * Durable entries from `from` on, contiguous, ascending, bounded by `limits`; fewer or none when the log ends, none
   * when `from` is before the log. An entry is there from its `done` on until its removal is asked for.
   * Synchronous: from the page cache by a read-only connection. Payloads are the caller's to keep.
   * @throws StorageError CORRUPT when an entry fails its checksum or is missing between its neighbors.
   */
  read(from: LogIndex, limits: ReadLimits): LogEntry[]
  /**
   * The same without holding up the caller: `done` is called once, later, in the order in which one group's fetches
   * were asked for. What it is handed stands in the log at that moment: entries whose removal was asked for meanwhile
   * are not among them, and entries that were not durable when the fetch was asked for need not be. Fails with CORRUPT
   * as `read` does, and with CLOSED when the group or the storage is closed before `done`.
   */
  fetch(from: LogIndex, limits: ReadLimits, done: FetchDone): Fetch
  /**
   * `listener` is called at most once, when no later write of this group can succeed: the disk failed, its files are
   * gone, a callback threw. Without it, whoever writes nothing would never know.
   */
  onFailure(listener: (error: StorageError) => void): void
  /** Lets go of the group. Writes asked for before still end. It ends, with IO, even if the disk does not answer. */
  close(done: StorageDone): void
}
