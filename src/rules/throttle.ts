// How many bytes of snapshots may be read or written now: a budget per short window of time, so that what is spent at
// once stays small and nobody has to save up (braft ThroughputSnapshotThrottle).

/** A second has this many windows. */
export const WINDOWS_PER_SECOND = 8

/** What has been spent of the window that began at `startMs`. */
export interface ThrottleWindow {
  readonly startMs: number
  readonly usedBytes: number
}

export interface Grant {
  /** 0: nothing in this window any more. */
  readonly bytes: number
  readonly window: ThrottleWindow
}

/** As much of `wantedBytes` as is left of the window of `nowMs`. Windows begin at whole multiples of their length. */
export function grantBytes(
  window: ThrottleWindow,
  bytesPerSecond: number,
  nowMs: number,
  wantedBytes: number,
): Grant {
  const startMs = windowStartMs(nowMs)
  const usedBytes = startMs === window.startMs ? window.usedBytes : 0
  // A budget of less than a byte per window would never let anything through.
  const limit = Math.max(1, Math.floor(bytesPerSecond / WINDOWS_PER_SECOND))
  const bytes = Math.max(0, Math.min(wantedBytes, limit - usedBytes))
  return { bytes, window: { startMs, usedBytes: usedBytes + bytes } }
}

/** What was granted at `grantedMs` and not needed; of a window that is over nothing comes back. */
export function giveBackBytes(
  window: ThrottleWindow,
  grantedMs: number,
  unusedBytes: number,
): ThrottleWindow {
  if (windowStartMs(grantedMs) !== window.startMs) return window
  return { ...window, usedBytes: Math.max(0, window.usedBytes - unusedBytes) }
}

/** How long until the next window begins. */
export function untilNextWindowMs(nowMs: number): number {
  return Math.max(1, Math.ceil(windowStartMs(nowMs) + 1000 / WINDOWS_PER_SECOND - nowMs))
}

function windowStartMs(nowMs: number): number {
  const lengthMs = 1000 / WINDOWS_PER_SECOND
  return Math.floor(nowMs / lengthMs) * lengthMs
}
