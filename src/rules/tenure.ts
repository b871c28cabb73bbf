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
