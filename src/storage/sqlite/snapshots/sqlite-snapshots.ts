// The snapshots of a data directory.

import Database from 'better-sqlite3'
import { systemClock } from '../../../runtime/clock.ts'
import { FailureWatch } from '../../failure-watch.ts'
import type { SnapshotDone, SnapshotStore } from '../../snapshot-store.ts'
import type { Completer } from '../../snapshots/asking.ts'
import { EnginePort } from '../../snapshots/engine-port.ts'
import { SnapshotEngine } from '../../snapshots/snapshot-engine.ts'
import { Snapshots, type SnapshotsHost } from '../../snapshots/snapshots.ts'
import { snapshotsFile } from '../data-directory.ts'
import { prepareTables } from '../schema.ts'
import { configureSnapshotDatabase, SNAPSHOT_STEPS } from './snapshot-schema.ts'
import { SqliteTables } from './sqlite-tables.ts'

interface Directory {
  readonly dataDir: string
  readonly hostId: string
}

export class SqliteSnapshots {
  readonly #snapshots: Snapshots
  #db: Database.Database | null = null
  #engine: SnapshotEngine | null = null

  constructor(
    { dataDir, hostId }: Directory,
    { refusal, report }: Pick<SnapshotsHost, 'refusal' | 'report'>,
  ) {
    const port = new EnginePort(
      () => {
        this.#engine ??= this.#start(snapshotsFile(dataDir), hostId)
        return this.#engine
      },
      (step, end) =>
        systemClock.defer(() => {
          step()
          end()
        }),
    )
    const completer = (group: string): Completer => new FailureWatch(group, report)
    this.#snapshots = new Snapshots({ port, refusal, completer, report })
  }

  open(group: string, done: SnapshotDone<SnapshotStore>): void {
    this.#snapshots.open(group, done)
  }

  /** What is not committed is lost. */
  close(): void {
    this.#db?.close()
  }

  #start(file: string, hostId: string): SnapshotEngine {
    const db = new Database(file)
    this.#db = db
    configureSnapshotDatabase(db)
    prepareTables(db, hostId, SNAPSHOT_STEPS)
    return new SnapshotEngine(new SqliteTables(db))
  }
}
