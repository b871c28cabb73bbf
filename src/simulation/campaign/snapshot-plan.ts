// How often the members of a seed take snapshots, and how much of their logs they keep.

import type { TuningInput } from '../../options.ts'
import type { Random } from '../../runtime/random.ts'
import { pick } from '../time/sim-random.ts'

/**
 * A stream of its own, so that what else a seed stands for stays as it was. A log that is short enough to be gone when
 * somebody comes back is what makes installations.
 */
export function drawSnapshots(
  random: Random,
  electionTimeoutMs: number,
): { readonly tuning: TuningInput; readonly askedEveryMs: number | null } {
  const tuning = {
    snapshotEveryEntries: pick(random, [0, 2, 5, 10, 20, 20, 100]),
    snapshotEveryBytes: pick(random, [0, 0, 100, 1000]),
    snapshotIntervalMs: Math.ceil(electionTimeoutMs * pick(random, [0, 0, 2, 20])),
    snapshotMinGapEntries: pick(random, [1, 1, 1, 10]),
    logMarginEntries: pick(random, [0, 0, 0, 3, 50]),
    maxRetainedLogBytes: pick(random, [0, 500, 64 * 1024 * 1024]),
  }
  const askedEveryMs = pick(random, [null, null, electionTimeoutMs, 10 * electionTimeoutMs])
  return { tuning, askedEveryMs }
}
