// The contract of the disk by promises, for whoever works on files while no member runs on them.

import type { SnapshotDone } from './snapshot-store.ts'
import type { GroupStore, Storage, StorageDone, StoredGroup } from './storage.ts'

/** What a call hands over. */
export function promised<T>(ask: (done: SnapshotDone<T>) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    ask((result) => (result.ok ? resolve(result.value) : reject(result.error))),
  )
}

/** That a call is done. */
export function ended(ask: (done: StorageDone) => void): Promise<void> {
  return new Promise((resolve, reject) => ask((error) => (error === null ? resolve() : reject(error))))
}

export function openedGroup(
  storage: Pick<Storage, 'openGroup'>,
  group: string,
): Promise<{ readonly store: GroupStore; readonly stored: StoredGroup }> {
  return new Promise((resolve, reject) =>
    storage.openGroup(group, (result) => (result.ok ? resolve(result) : reject(result.error))),
  )
}
