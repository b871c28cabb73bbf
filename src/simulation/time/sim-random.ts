// Draws of the simulated world: named streams from one seed, and the few shapes of chance that faults need.

import { type Random, seededRandom } from '../../runtime/random.ts'

/**
 * A stream of its own for every purpose. Taking one fault out of a plan then leaves the draws of everything else as
 * they were, which is what makes shrinking a failure work.
 */
export function streamOf(seed: number, name: string): Random {
  let hash = (seed ^ 0x811c9dc5) >>> 0
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return seededRandom(hash)
}

/** True with `probability`; 0 and 1 draw nothing. */
export function chance(random: Random, probability: number): boolean {
  if (probability <= 0) return false
  return probability >= 1 || random.next() < probability
}

/** @throws RangeError when there is nothing to choose from. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const index = Math.floor(random.next() * items.length)
  if (index >= items.length) throw new RangeError('Nothing to pick from: the list is empty.')
  return items[index] as T
}

export function between(random: Random, min: number, max: number): number {
  return min + random.next() * (max - min)
}

/** A new array with the same items in drawn order. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1))
    const [a, b] = [result[i] as T, result[j] as T]
    result[i] = b
    result[j] = a
  }
  return result
}

/** How long something takes. Exponential: `minMs` plus a long tail around `meanMs`, cut at `maxMs`. */
export type Latency =
  | { readonly shape: 'constant'; readonly ms: number }
  | { readonly shape: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | {
      readonly shape: 'exponential'
      readonly minMs: number
      readonly meanMs: number
      readonly maxMs: number
    }

export function drawLatencyMs(random: Random, latency: Latency): number {
  switch (latency.shape) {
    case 'constant':
      return latency.ms
    case 'uniform':
      return between(random, latency.minMs, latency.maxMs)
    case 'exponential':
      return Math.min(latency.minMs - latency.meanMs * Math.log(1 - random.next()), latency.maxMs)
  }
}

export const exponential = (meanMs: number): Latency => ({
  shape: 'exponential',
  minMs: 1,
  meanMs,
  maxMs: meanMs * 10,
})
