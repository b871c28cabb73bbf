// How times are spread, as text and as figures.

export interface Bin {
  readonly fromMs: number
  readonly toMs: number
  readonly count: number
}

const WIDTHS_MS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000]
const MOST_BINS = 20
const LONGEST_BAR = 50

/** Bins of one round width, from the first time to the last: as narrow as fits into twenty lines. */
export function binsOf(timesMs: readonly number[]): readonly Bin[] {
  if (timesMs.length === 0) return []
  const [least, most] = [Math.min(...timesMs), Math.max(...timesMs)]
  const width =
    WIDTHS_MS.find((each) => (most - least) / each < MOST_BINS - 1) ??
    Math.ceil((most - least) / (MOST_BINS - 1))
  const first = Math.floor(least / width)
  const counts = new Array<number>(Math.floor(most / width) - first + 1).fill(0)
  for (const timeMs of timesMs) {
    const at = Math.floor(timeMs / width) - first
    counts[at] = (counts[at] ?? 0) + 1
  }
  return counts.map((count, at) => ({ fromMs: (first + at) * width, toMs: (first + at + 1) * width, count }))
}

/** One line for each bin. */
export function barsOf(bins: readonly Bin[]): readonly string[] {
  const most = Math.max(1, ...bins.map(({ count }) => count))
  const digits = String(bins.at(-1)?.toMs ?? 0).length
  return bins.map(({ fromMs, toMs, count }) => {
    const range = `${String(fromMs).padStart(digits)} to ${String(toMs).padStart(digits)} ms`
    return `${range} ${'█'.repeat(Math.ceil((LONGEST_BAR * count) / most))} ${count}`
  })
}

/** The smallest time that is not exceeded by this share of them. 0 without any. */
export function percentileOf(timesMs: readonly number[], share: number): number {
  const sorted = timesMs.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}
