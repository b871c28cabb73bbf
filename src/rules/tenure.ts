// What only one member of a group may do at a time, because it leads: how long may it go on?

export interface TenureTerms {
  /** Until when nobody else leads, by this member's clock (`leaderLeaseUntilMs`). */
  readonly untilMs: number
  /** Stops so long before that: timers come late. */
  readonly marginMs: number
  /** How long whoever is told to end may take. */
  readonly graceMs: number
}

/**
 * `run`: look again at `lookAtMs`, when more may be known. `end`: tell it to end, it has until `stopAtMs`. `stop`: now,
 * whatever it is doing.
 */
export type TenureVerdict =
  | { readonly kind: 'run'; readonly lookAtMs: number; readonly stopAtMs: number }
  | { readonly kind: 'end'; readonly stopAtMs: number }
  | { readonly kind: 'stop' }

/** Judges by nothing but what is known already: silence is reason enough to stop. */
export function judgeTenure({ untilMs, marginMs, graceMs }: TenureTerms, nowMs: number): TenureVerdict {
  const stopAtMs = untilMs - marginMs
  if (nowMs >= stopAtMs) return { kind: 'stop' }
  if (nowMs >= stopAtMs - graceMs) return { kind: 'end', stopAtMs }
  return { kind: 'run', lookAtMs: stopAtMs - graceMs, stopAtMs }
}

export interface Accession {
  readonly term: number
  readonly sinceMs: number
  /** The leader of the term before has stepped down: it says so by answering in this term, or it was this member. */
  readonly isSettled: boolean
  readonly electionTimeoutMs: number
  readonly maxClockDriftMs: number
  /** Votes are held back for as long as an earlier leader may rely on them. */
  readonly leasesOn: boolean
}

/**
 * From when on no earlier leader relies on its leadership any more. Without leases votes may be given as soon as a leader is
 * known to be off the bus, while it still counts on what it heard last: so its time is waited out here.
 */
export function tenureFromMs(accession: Accession): number {
  const { term, sinceMs, isSettled, leasesOn, electionTimeoutMs, maxClockDriftMs } = accession
  if (leasesOn || isSettled || term <= 1) return sinceMs
  return sinceMs + electionTimeoutMs + maxClockDriftMs
}

/** Of one run of what one member at a time does. Whoever is asked in its name can tell an old one from the newest. */
export interface FencingToken {
  /** In which its member leads. */
  readonly term: number
  /** Of the committed entry with which that leadership began. */
  readonly index: number
  /** Of the runs in that leadership: 1, 2, … */
  readonly run: number
}

/** Below 0: `a` is older than `b`; 0: they are the same; above 0: newer. */
export function compareTokens(a: FencingToken, b: FencingToken): number {
  return a.term - b.term || a.index - b.index || a.run - b.run
}
