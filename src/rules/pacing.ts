// How fast a returning follower is given what it missed: as fast as the others can bear. What it gets is settled
// already, so nobody waits for it; everybody else waits for the loop, the disks and the bus that it takes.

/** How much may be sent in one go, and how long to leave the way to others afterwards. */
export interface Pace {
  readonly windowBytes: number
  readonly pauseMs: number
}

/** Old entries were sent in one go, and all of them have been answered. */
export interface Burst {
  readonly bytes: number
  /** From sending to answering the last of them, less what a small message takes there and back. */
  readonly tookMs: number
  /** New entries were written meanwhile. */
  readonly othersWrote: boolean
  /** In how many times the usual time new entries are committed while old ones are on their way; null: unknown. */
  readonly slowdown: number | null
}

/** Up to here a burst may be larger the next time; beyond the second it has to be smaller. */
const BEARABLE_SLOWDOWN = 2
const TOO_SLOW = 3
const STEP_BYTES = 64 * 1024
const MIN_WINDOW_BYTES = STEP_BYTES
/** Even bursts that cost nothing leave a gap, in which is learned how fast the others are without them. */
const MIN_PAUSE_SHARE = 0.05
const MAX_PAUSE_SHARE = 0.25
const MAX_PAUSE_MS = 100

export const FIRST_PACE: Pace = { windowBytes: 2 * STEP_BYTES, pauseMs: 0 }

/**
 * The next burst is a little larger when the others bore this one and half as large when they did not (additive
 * increase, multiplicative decrease). Afterwards they have the way for themselves for a while, up to a quarter of what it
 * took: whatever it is that is scarce, what has piled up meanwhile gets through. While nobody writes there is nobody to
 * give way to.
 */
export function paceAfter({ windowBytes }: Pace, burst: Burst, maxWindowBytes: number): Pace {
  if (!burst.othersWrote) return { windowBytes: larger(windowBytes, maxWindowBytes), pauseMs: 0 }
  const { slowdown, tookMs, bytes } = burst
  const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(0, tookMs) * pauseShare(slowdown))
  if (slowdown === null) return { windowBytes, pauseMs }
  if (slowdown > TOO_SLOW)
    return { windowBytes: Math.max(MIN_WINDOW_BYTES, Math.floor(windowBytes / 2)), pauseMs }
  const mayGrow = slowdown <= BEARABLE_SLOWDOWN && bytes >= windowBytes
  return { windowBytes: mayGrow ? larger(windowBytes, maxWindowBytes) : windowBytes, pauseMs }
}

/** The more the others suffer, the longer: at twice the usual time it is the whole share. */
function pauseShare(slowdown: number | null): number {
  if (slowdown === null) return MAX_PAUSE_SHARE
  return Math.min(MAX_PAUSE_SHARE, Math.max(MIN_PAUSE_SHARE, MAX_PAUSE_SHARE * (slowdown - 1)))
}

function larger(windowBytes: number, maxWindowBytes: number): number {
  return Math.max(MIN_WINDOW_BYTES, Math.min(maxWindowBytes, windowBytes + STEP_BYTES))
}

/** Of old entries, in one turn of the loop: more of them wait for the next one, behind whatever else has come by then. */
const MAX_TURN_BYTES = 256 * 1024

/** What of the old entries has been sent so far. */
export interface Sent {
  readonly inBurst: number
  readonly inTurn: number
}

/** Whether more old entries may be sent now. One frame always may, however large. */
export function mayGoOn({ windowBytes }: Pace, { inBurst, inTurn }: Sent): boolean {
  return (inBurst === 0 || inBurst < windowBytes) && (inTurn === 0 || inTurn < MAX_TURN_BYTES)
}
