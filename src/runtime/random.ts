// Chance as a port: the same seed gives the same run.

export interface Random {
  /** A number in [0, 1). */
  next(): number
}

/** A whole number in [min, max], both included. */
export function randomInt(random: Random, min: number, max: number): number {
  return min + Math.floor(random.next() * (max - min + 1))
}

/** Chance for production: nothing depends on repeating it. */
export const systemRandom: Random = { next: () => Math.random() }

/** mulberry32: 32 bits of state, good enough to draw schedules and jitter from, and replayable. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let x = Math.imul(state ^ (state >>> 15), state | 1)
      x = (x + Math.imul(x ^ (x >>> 7), x | 61)) ^ x
      return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
