// The digest of a key-value state: a sum of one 64-bit hash per pair, so that it doesn't depend on the order in which
// pairs came to be, and a change costs only the bytes it touches.

/** Two 32-bit lanes: doubles can't multiply 64 bits, and BigInt would cost more than the command it hashes. */
export interface HashLanes {
  readonly low: number
  readonly high: number
}

export const NO_PAIRS: HashLanes = { low: 0, high: 0 }

/** The running hash of a key and no value yet. The length keeps `ab|c` and `a|bc` apart. */
export function hashKey(key: string): HashLanes {
  return hashMore({ low: 0x9e3779b1 ^ key.length, high: 0x85ebca6b ^ key.length }, key)
}

/** Goes on hashing where `state` stopped: hashing two pieces equals hashing them joined. */
export function hashMore(state: HashLanes, text: string): HashLanes {
  let { low, high } = state
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x5bd1e995)
    high ^= high >>> 15
  }
  return { low, high }
}

/** Of when a key goes by itself: begun otherwise than pairs are, so that none is taken for the other. */
export function hashLease({
  key,
  ttlMs,
  dueAtMs,
}: {
  key: string
  ttlMs: number
  dueAtMs: number
}): HashLanes {
  const { low, high } = hashKey(key)
  return hashMore({ low: low ^ 0x3c6ef372, high: high ^ 0x54ff53a5 }, `${ttlMs} ${dueAtMs}`)
}

/** Adds (`sign` 1) or takes away (-1) a pair whose running hash is `pair`. */
export function combine(total: HashLanes, pair: HashLanes, sign: 1 | -1): HashLanes {
  return {
    low: (total.low + sign * mix(pair.low ^ Math.imul(pair.high, 0x27d4eb2f))) | 0,
    high: (total.high + sign * mix(pair.high ^ Math.imul(pair.low, 0x165667b1))) | 0,
  }
}

/** 16 hexadecimal digits. */
export function hashText(total: HashLanes): string {
  return hex(total.high) + hex(total.low)
}

function mix(lane: number): number {
  let x = lane ^ (lane >>> 16)
  x = Math.imul(x, 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}
