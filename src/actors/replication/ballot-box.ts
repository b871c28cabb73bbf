// The leader's count of who holds what (braft BallotBox). The arithmetic is in rules/commit.ts.

import { type BallotSegment, decideCommit, settledSegments } from '../../rules/commit.ts'
import type { Configuration, LogIndex, PeerId } from '../../rules/types.ts'

export class BallotBox {
  /** First index this leadership may commit by counting. */
  readonly pendingIndex: LogIndex
  #segments: readonly BallotSegment[] = []

  constructor(pendingIndex: LogIndex) {
    this.pendingIndex = pendingIndex
  }

  /** Entries from `firstIndex` on are judged by `configuration`. */
  judgeBy(configuration: Configuration, firstIndex: LogIndex): void {
    this.#segments = [...this.#segments, { firstIndex, configuration }]
  }

  count(commitIndex: LogIndex, lastIndex: LogIndex, matchOf: (peer: PeerId) => LogIndex): LogIndex {
    const { pendingIndex } = this
    const commit = decideCommit({ pendingIndex, lastIndex, commitIndex, segments: this.#segments }, matchOf)
    if (commit > commitIndex) this.#segments = settledSegments(this.#segments, commit)
    return commit
  }
}
