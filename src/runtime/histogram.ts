// Counts values by size, in plain numbers: cheap enough to be fed on the way of every batch.

export interface HistogramFigures {
  /** Upper ends of all buckets but the last, ascending; the last one has none. */
  readonly bounds: readonly number[]
  /** How many values fell into each bucket, not cumulated: one more than there are bounds. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** From a tenth of a millisecond to ten seconds. */
export const SECONDS: readonly number[] = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
]
export const ENTRIES: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]
export const BYTES: readonly number[] = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]

/** The upper end of the bucket below which this share of all values lies; of the last bucket, where it begins. Null: there are none. */
export function quantileOf({ bounds, counts }: HistogramFigures, share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let seen = 0
  const bucket = counts.findIndex((count) => {
    seen += count
    return seen >= share * total
  })
  return bounds[Math.min(bucket, bounds.length - 1)] ?? null
}

export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const found = this.#bounds.findIndex((bound) => value <= bound)
    const bucket = found < 0 ? this.#bounds.length : found
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += value
  }

  figures(): HistogramFigures {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum }
  }
}
