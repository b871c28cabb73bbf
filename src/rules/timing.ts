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

/** What a member waits for when its timeout is set anew: the sum stays, so that promises last as long as before. */
export type Retiming = Pick<Timing, 'electionTimeoutMs' | 'maxClockDriftMs'>

const SHORTEST_MS = 10

/**
 * The same promises with another election timeout (braft reset_election_timeout_ms). What the timeout loses the drift
 * gains: others rely on the sum. Null: the sum is too small for it.
 */
export function retimed(timing: Retiming, electionTimeoutMs: number): Retiming | null {
  const sumMs = timing.electionTimeoutMs + timing.maxClockDriftMs
  const fits = Number.isInteger(electionTimeoutMs) && electionTimeoutMs >= SHORTEST_MS
  return fits && electionTimeoutMs <= sumMs
    ? { electionTimeoutMs, maxClockDriftMs: sumMs - electionTimeoutMs }
    : null
}

/** The largest random part of the election timer. */
export function mostSpreadMs(timing: Timing): number {
  return Math.min(timing.electionTimeoutMs, timing.maxElectionDelayMs)
}

/** How long a candidate waits for its votes. */
export function voteDelayMs(timing: Timing, drawn: number): number {
  const base = timing.electionTimeoutMs + timing.maxClockDriftMs
  return base + spreadMs(base, timing, drawn)
}
