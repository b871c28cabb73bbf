// How much of its log a member keeps behind a snapshot: no more than the rules allow, so that it stays bounded (INV-24).

import type { LogIndex, PeerId } from '../../rules/types.ts'
import type { NodeObservation } from './observation.ts'
import { InvariantViolation } from './violation.ts'

export interface RetentionLimits {
  readonly marginEntries: number
  /** A log that has grown by more than this since an installation began is not kept for it. */
  readonly maxRetainedBytes: number
}

interface Kept {
  /** The newest snapshot of this life; 0: none so far. */
  snapshotIndex: LogIndex
  /** The first entry that anybody may still want. */
  firstIndex: LogIndex
  /** Where the snapshots end that followers were being sent, at the last look. */
  sent: readonly LogIndex[]
}

export class RetentionRules {
  readonly #limits: RetentionLimits | null
  readonly #kept = new Map<PeerId, Kept>()

  constructor(limits: RetentionLimits | null) {
    this.#limits = limits
  }

  startLife(id: PeerId): void {
    this.#kept.set(id, { snapshotIndex: 0, firstIndex: 1, sent: [] })
  }

  /**
   * Behind the snapshot before, the margin, and what followers are being sent (also the ones that were so until a moment
   * ago), nothing stays when a newer snapshot has been adopted.
   */
  check(view: NodeObservation): void {
    const kept = this.#kept.get(view.id)
    if (kept === undefined || this.#limits === null) return
    const { marginEntries, maxRetainedBytes } = this.#limits
    const sent = (view.sending ?? [])
      .filter(({ bytesSince }) => bytesSince <= maxRetainedBytes)
      .map(({ snapshotIndex }) => snapshotIndex)
    const index = view.snapshot?.index ?? 0
    if (index > kept.snapshotIndex) {
      const wanted = [...kept.sent, ...sent, kept.snapshotIndex, index - marginEntries]
      kept.firstIndex = Math.max(1, Math.min(...wanted) + 1)
      kept.snapshotIndex = index
    }
    kept.sent = sent
    // A member that is closing still publishes what it was writing; its log is trimmed when it comes back.
    if (view.firstIndex >= kept.firstIndex || view.role === 'shuttingDown' || view.role === 'shutdown') return
    throw new InvariantViolation(
      'INV-24',
      `${view.id} keeps its log from ${view.firstIndex} on; behind its snapshot up to ${index} nobody wants what is before ${kept.firstIndex}.`,
    )
  }
}
