// A member's snapshots, as everything around their executor sees them.

import type { SnapshotStore } from '../../storage/snapshot-store.ts'

export class Snapshots {
  /** Null until it has been opened. */
  store: SnapshotStore | null = null
}
