// How far clocks may be off, and how long leases may last on them, in true time.

/**
 * How far a clock's rate may be off so that a lease of one election timeout on the slowest clock ends before a wait of
 * election timeout plus drift bound does on the fastest. Half of it, for what a message takes.
 */
export function maxRateError(tuning: {
  electionTimeoutMs: number
  maxClockDriftMs?: number | undefined
}): number {
  const driftMs = tuning.maxClockDriftMs ?? 0
  return Math.min(0.1, (0.5 * driftMs) / (2 * tuning.electionTimeoutMs + driftMs))
}

/** The shortest time for which a voter holds its vote back, on the fastest clock that the options allow. */
export function leaseLimitMs(tuning: {
  readonly electionTimeoutMs: number
  readonly maxClockDriftMs: number
}): number {
  return (tuning.electionTimeoutMs + tuning.maxClockDriftMs) / (1 + maxRateError(tuning))
}
