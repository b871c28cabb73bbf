// A member's snapshots, as everything around their executor sees them: where they lie, what is being done about them, and
// who waits for one.

import type { QuorateError } from '../../errors.ts'
import type { OfferedSnapshot, SnapshotActivity } from '../../rules/snapshot.ts'
import type { LogIndex, SnapshotMeta } from '../../rules/types.ts'
import type { SnapshotRecord, SnapshotStore } from '../../storage/snapshot-store.ts'

export type SnapshotOutcome =
  | { readonly ok: true; readonly record: SnapshotRecord }
  | { readonly ok: false; readonly error: QuorateError }

/** Of a download, as its copier counts. */
export interface Progress {
  doneBytes: number
  totalBytes: number
}

/** What another member offers. */
export interface Offer extends OfferedSnapshot {
  readonly meta: SnapshotMeta
  readonly bytes: number
  readonly files: number
}

export class Snapshots {
  /** Null until it has been opened. */
  store: SnapshotStore | null = null
  /** The newest one that this member's state has in it: taken of it, or loaded. A download becomes it when it is loaded. */
  newest: SnapshotRecord | null = null
  activity: SnapshotActivity = 'idle'
  /** What is fetched or loaded from another member; null: nothing. */
  running: Offer | null = null
  /** Numbers copies: a late report finds nobody. */
  copies = 0
  progress: Progress = { doneBytes: 0, totalBytes: 0 }
  /** Callers that wait for one to be taken. */
  readonly asked = new Set<(outcome: SnapshotOutcome) => void>()
  /** Of user code that saves or loads; null: none does. */
  control: AbortController | null = null
  saves = 0
  failures = 0
  /** Attempts that have failed since one succeeded. */
  failuresInARow = 0
  /** None is taken by itself before this time. */
  notBeforeMs = Number.NEGATIVE_INFINITY
  lastDurationMs: number | null = null
  lastError: string | null = null
  /** The timer has been armed once. */
  ticked = false
  /** Of the entries applied since the start: those since the newest snapshot are applied anew after each. */
  appliedBytes = 0
  /** How many of them when the newest one was captured, or loaded. */
  appliedBytesAtNewest = 0

  get newestIndex(): LogIndex {
    return this.newest?.meta.lastIncludedIndex ?? 0
  }

  /** From another member: what is here by then is not enough to stand for election. */
  get isInstalling(): boolean {
    return this.running !== null
  }

  /** Nobody needs what user code is doing any more. */
  abort(): void {
    this.control?.abort(new Error('Nobody needs this snapshot any more.'))
    this.control = null
  }
}
