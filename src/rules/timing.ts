// Delays of the timers, as functions of the options and one drawn number in [0, 1).

export interface Timing {
  readonly electionTimeoutMs: number
  readonly maxClockDriftMs: number
  readonly maxElectionDelayMs: number
}

/** The random part that keeps followers from standing all at once (paper section 5.2). */
function spreadMs(baseMs: number, timing: Timing, drawn: number): number {
  return Math.floor(drawn * (Math.min(baseMs, timing.maxElectionDelayMs) + 1))
}

/**
 * When a follower looks again whether its leader is gone. Nothing a leader sends moves this timer: it is aimed at the
 * end of the promise as known now, plus jitter, and when it comes it looks again (trap T1). braft polls on a
 * free-running tick instead, which finds out later by half a tick on average.
 *
 * @param presumedAliveMs what is left of the follower lease; 0 when there is none
 */
export function electionDelayMs(timing: Timing, presumedAliveMs: number, drawn: number): number {
  const base = timing.electionTimeoutMs
  const wait = presumedAliveMs > 0 ? Math.ceil(presumedAliveMs) : base
  return wait + spreadMs(base, timing, drawn)
}

/** How long a candidate waits for its votes. */
export function voteDelayMs(timing: Timing, drawn: number): number {
  const base = timing.electionTimeoutMs + timing.maxClockDriftMs
  return base + spreadMs(base, timing, drawn)
}
