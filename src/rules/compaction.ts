// What a snapshot makes of the log: where the two are joined, and how much of what it stands for may go (braft
// LogManager::set_snapshot).

import type { LogId, LogIndex, Term } from './types.ts'

/** A log, as far as these rules need it. */
export interface JoinedLog {
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Term at an index, of the entry before the first one too; 0 when unknown. */
  termAt(index: LogIndex): Term
}

/**
 * `keep`: the log holds the snapshot's last entry, or begins after it, and stays. `reset`: it ends before, or another
 * entry lies there, so that whatever follows it is not what follows the snapshot; it begins anew after the snapshot (paper section 7,
 * trap T55, INV-21).
 */
export function reconcileLog(log: JoinedLog, snapshot: LogId): 'keep' | 'reset' {
  const { index, term } = snapshot
  if (index < log.firstIndex - 1) return 'keep'
  if (index > log.lastIndex) return 'reset'
  const mine = log.termAt(index)
  return mine === term || (mine === 0 && index < log.firstIndex) ? 'keep' : 'reset'
}

/** A follower is being sent a snapshot. */
export interface Installation {
  readonly snapshotIndex: LogIndex
  /** Bytes that have come to the log since it began. */
  readonly bytesSince: number
}

export interface Retention {
  readonly snapshotIndex: LogIndex
  /** Of the snapshot before it; 0: there was none. */
  readonly previousIndex: LogIndex
  /** Entries kept before the end of the snapshot, whatever else says. */
  readonly marginEntries: number
  readonly installations: readonly Installation[]
  /** A log longer than this is not kept for an installation. */
  readonly maxRetainedBytes: number
}

/**
 * The first entry that stays in the log after a snapshot. The log since the *previous* snapshot stays, so that slightly
 * slow followers need no installation (HB-07); so does what follows a snapshot that a follower is being sent, or it would
 * need another one as soon as it has that.
 */
export function firstKeptIndex(retention: Retention): LogIndex {
  const { snapshotIndex, previousIndex, marginEntries, installations, maxRetainedBytes } = retention
  const wanted = installations
    .filter(({ bytesSince }) => bytesSince <= maxRetainedBytes)
    .map((installation) => installation.snapshotIndex + 1)
  return Math.max(1, Math.min(previousIndex + 1, snapshotIndex + 1 - marginEntries, ...wanted))
}
