// Snapshots under way, one line each: what is saved, fetched or loaded, how fast, and how long it will still take.

import type { GroupStatus } from '../../client.ts'
import type { NodeStatus } from '../../status.ts'
import { formatProgress, formatSize } from '../units.ts'

interface Sample {
  readonly bytes: number
  readonly atMs: number
}

/** Knows how fast things go from one look to the next; one look alone tells no rate. */
export class Transfers {
  readonly #samples = new Map<string, Sample>()

  /** @param nowMs of a clock that is never set back */
  describe({ members }: GroupStatus, nowMs: number): readonly string[] {
    return members.flatMap((member) => {
      const { id, snapshot } = member
      if (snapshot.state === 'idle') {
        this.#samples.delete(id)
        return []
      }
      const before = this.#samples.get(id)
      const sample = { bytes: snapshot.doneBytes, atMs: nowMs }
      this.#samples.set(id, sample)
      return [`${id} ${describe(member, rateOf(before, sample))}`]
    })
  }
}

/** In bytes per second; 0: not known. */
function rateOf(before: Sample | undefined, now: Sample): number {
  if (before === undefined || now.bytes < before.bytes || now.atMs <= before.atMs) return 0
  return ((now.bytes - before.bytes) / (now.atMs - before.atMs)) * 1000
}

function describe({ snapshot }: NodeStatus, bytesPerSecond: number): string {
  const { state, doneBytes, totalBytes, newest } = snapshot
  if (state === 'loading') return `is loading a snapshot of ${formatSize(totalBytes)}.`
  if (state === 'downloading')
    return `is downloading a snapshot: ${formatProgress(doneBytes, totalBytes, bytesPerSecond)}.`
  // How large it becomes nobody knows; it is about as large as the one before.
  const expected = newest?.bytes ?? 0
  return doneBytes < expected
    ? `is saving a snapshot: ${formatProgress(doneBytes, expected, bytesPerSecond)} (by the size of the last one).`
    : `is saving a snapshot: ${formatSize(doneBytes)} so far.`
}
