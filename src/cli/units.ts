// Sizes, times and progress in words for people.

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB']

/** 1234567 → `1.2 MB`. */
export function formatSize(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** How long ago, or for how long: `3 s`, `4 min`, `5 h`, `6 d`. A clock that is ahead makes nothing younger than 0. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** Of something under way: how far, how fast, how long still. `bytesPerSecond` 0: not known yet. */
export function formatProgress(doneBytes: number, totalBytes: number, bytesPerSecond: number): string {
  const done = `${formatSize(doneBytes)} of ${formatSize(totalBytes)}`
  if (bytesPerSecond <= 0) return done
  const left = formatDuration((Math.max(0, totalBytes - doneBytes) / bytesPerSecond) * 1000)
  return `${done}, ${formatSize(bytesPerSecond)}/s, ${left} left`
}
