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

/** Pieces of a snapshot are served in bursts of this size; then others have the way. */
export const PIECES_BURST_BYTES = 512 * 1024
/** Up to here the pauses between bursts become shorter; beyond the second they become longer. */
const PIECES_BEARABLE_SLOWDOWN = 1.5
const PIECES_TOO_SLOW = 1.8
const MAX_PAUSE_PER_BURST = 4
const PAUSE_STEP = 0.1
/** Long enough to see how fast the others are without pieces. */
const LEARNING_PAUSE_MS = 50
/** As the others change, so does what they are measured against: now and then it is learned anew. */
const LEARN_EVERY_BURSTS = 64

/** How much way others are given between two bursts of pieces. */
export interface PiecesPace {
  /** In times of what the burst took. */
  readonly pausePerBurst: number
  readonly pauseMs: number
  /** Until it is learned anew how fast the others are. */
  readonly burstsUntilLearning: number
}

export const FIRST_PIECES_PACE: PiecesPace = {
  pausePerBurst: 0,
  pauseMs: 0,
  burstsUntilLearning: LEARN_EVERY_BURSTS,
}

/**
 * After a burst of pieces: the pause grows by half while commits suffer and shrinks by steps while they do not. Unlike old
 * entries a snapshot is large, and what it takes of two machines comes to more than its bytes, so the share of the others
 * may become four times that of the pieces. `maxPauseMs`: who waits for a piece gives up some time.
 */
export function piecesPaceAfter(
  pace: PiecesPace,
  { tookMs, othersWrote, slowdown }: Omit<Burst, 'bytes'>,
  maxPauseMs: number,
): PiecesPace {
  if (!othersWrote) return { ...pace, pausePerBurst: nextPause(pace.pausePerBurst, 1), pauseMs: 0 }
  const pausePerBurst = nextPause(pace.pausePerBurst, slowdown ?? PIECES_TOO_SLOW)
  const isLearning = slowdown === null || pace.burstsUntilLearning <= 1
  const wantedMs = Math.max(isLearning ? LEARNING_PAUSE_MS : 0, tookMs * pausePerBurst)
  return {
    pausePerBurst,
    pauseMs: Math.max(0, Math.min(MAX_PAUSE_MS, maxPauseMs, wantedMs)),
    burstsUntilLearning: isLearning ? LEARN_EVERY_BURSTS : pace.burstsUntilLearning - 1,
  }
}

function nextPause(pausePerBurst: number, slowdown: number): number {
  if (slowdown > PIECES_TOO_SLOW)
    return Math.min(MAX_PAUSE_PER_BURST, Math.max(PAUSE_STEP, pausePerBurst * 1.5))
  return slowdown <= PIECES_BEARABLE_SLOWDOWN ? Math.max(0, pausePerBurst - PAUSE_STEP) : pausePerBurst
}
