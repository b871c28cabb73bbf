// The snapshots of a data directory.

import { FailureWatch } from '../../failure-watch.ts'
import type { SnapshotDone, SnapshotStore } from '../../snapshot-store.ts'
import type { Completer } from '../../snapshots/asking.ts'
import { Snapshots, type SnapshotsHost } from '../../snapshots/snapshots.ts'
import type { StorageError } from '../../storage.ts'
import type { SnapshotThreadOptions } from './snapshot-messages.ts'
import { SnapshotQueue } from './snapshot-queue.ts'

export class SqliteSnapshots {
  readonly #queue: SnapshotQueue
  readonly #snapshots: Snapshots

  constructor(
    options: SnapshotThreadOptions,
    { refusal, report }: Pick<SnapshotsHost, 'refusal' | 'report'>,
  ) {
    const port = new SnapshotQueue(options)
    const completer = (group: string): Completer => new FailureWatch(group, report)
    this.#queue = port
    this.#snapshots = new Snapshots({ port, refusal, completer, report })
  }

  open(group: string, done: SnapshotDone<SnapshotStore>): void {
    this.#snapshots.open(group, done)
  }

  /** Lets go of the file after everything that was asked for. */
  close(done: () => void): void {
    this.#queue.end(done)
  }

  /** Ends at once; what waits ends with `error`, or without one never. False: a thread hangs. */
  stop(error: StorageError | null): Promise<boolean> {
    return this.#queue.stop(error)
  }
}
