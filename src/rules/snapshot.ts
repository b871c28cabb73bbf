// When a snapshot is taken, and what is made of one that a leader offers (braft SnapshotExecutor).

import type { LogId, LogIndex, PeerId } from './types.ts'
import { compareLogIds } from './types.ts'

/** What a member does about snapshots; one thing at a time (trap T58). */
export type SnapshotActivity = 'idle' | 'saving' | 'downloading' | 'loading'

export interface SaveSituation {
  readonly activity: SnapshotActivity
  readonly appliedIndex: LogIndex
  /** Of the newest snapshot; 0: there is none. */
  readonly snapshotIndex: LogIndex
  /** Fewer entries than this since then are nothing new. */
  readonly minGapEntries: number
}

/**
 * `nothingNew` is a success without a new snapshot (trap T70), `busy` is to be tried again: saving, downloading and loading
 * exclude each other (braft do_snapshot).
 */
export function judgeSave(situation: SaveSituation): 'save' | 'nothingNew' | 'busy' {
  const { activity, appliedIndex, snapshotIndex, minGapEntries } = situation
  if (activity !== 'idle') return 'busy'
  return appliedIndex - snapshotIndex < Math.max(1, minGapEntries) ? 'nothingNew' : 'save'
}

export interface Growth {
  /** Applied since the newest snapshot. */
  readonly entries: number
  /** Of these entries. */
  readonly logBytes: number
  /** Of the newest snapshot; 0: there is none. */
  readonly snapshotBytes: number
  /** 0: never for this reason. */
  readonly everyEntries: number
  readonly everyBytes: number
}

/** A state is not written again before a quarter as much as it has come to the log: large ones would be written all the time. */
const SHARE_OF_SNAPSHOT = 1 / 4

/** Has the log grown so much that a snapshot is due? */
export function isDue({ entries, logBytes, snapshotBytes, everyEntries, everyBytes }: Growth): boolean {
  const isLong = everyEntries > 0 && entries >= everyEntries
  const isLarge = everyBytes > 0 && logBytes >= everyBytes
  return (isLong || isLarge) && logBytes >= snapshotBytes * SHARE_OF_SNAPSHOT
}

/** The first time comes anywhere within the interval: members that start together do not save together (trap T69). */
export function snapshotDelayMs(intervalMs: number, isFirst: boolean, drawn: number): number | null {
  if (intervalMs === 0) return null
  return isFirst ? Math.floor(drawn * intervalMs) : intervalMs
}

const FIRST_RETRY_MS = 5000
const LONGEST_RETRY_MS = 600_000

/** For how long no snapshot is taken by itself after so many attempts in a row that failed. */
export function saveRetryMs(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1))
}

/** A snapshot that is offered, and by whom. */
export interface OfferedSnapshot {
  readonly from: PeerId
  readonly id: LogId
  readonly takenAtMs: number
}

export interface OfferSituation {
  readonly activity: SnapshotActivity
  /** What is fetched or loaded; null: nothing. */
  readonly running: OfferedSnapshot | null
  /** For how long offers have been put off by the save that goes on; 0: this is the first one. */
  readonly putOffMs: number
  /** Everything up to here is durable, settled and mine: by a snapshot that is loaded, or by a log that is committed. */
  readonly settledIndex: LogIndex
}

export type OfferVerdict =
  /** It is here, or something newer is. */
  | 'installed'
  /** Fetch it, and no other one. */
  | 'start'
  /** It is being fetched. */
  | 'accepted'
  | 'loading'
  /** Not now. */
  | 'busy'

/** User code that saves for longer than this, while somebody offers what the log cannot bring any more, saves in vain. */
export const SAVE_YIELDS_AFTER_MS = 10_000

/**
 * Never two installations at a time, whatever the number of offers and leaders (trap T61). One that is newer than what
 * is fetched takes its place, as does the same one from somebody else: who offered it first may be gone, and what is here
 * by then is not fetched again. What is being loaded is loaded to its end (trap T60). A save is waited for, but not for
 * ever: user code that never comes back would keep this member behind until somebody restarts it.
 */
export function judgeOffer(situation: OfferSituation, offer: OfferedSnapshot): OfferVerdict {
  const { activity, running, putOffMs, settledIndex } = situation
  if (offer.id.index <= settledIndex) return 'installed'
  if (activity === 'idle') return 'start'
  if (activity === 'saving') return putOffMs >= SAVE_YIELDS_AFTER_MS ? 'start' : 'busy'
  if (running === null) return 'busy'
  const newer = compareLogIds(offer.id, running.id)
  if (activity === 'loading') return newer <= 0 ? 'loading' : 'busy'
  if (newer !== 0) return newer > 0 ? 'start' : 'busy'
  return offer.from === running.from && offer.takenAtMs === running.takenAtMs ? 'accepted' : 'start'
}

/** A state that has come further than the snapshot stays: what was fetched for it came too late (braft ESTALE). */
export function mayLoad(applied: LogIndex, snapshot: LogIndex): boolean {
  return snapshot > applied
}
