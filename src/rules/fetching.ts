// What is made of a request for a piece of a snapshot that was not answered as wished. Whatever is wrong at the other
// side is no damage here (trap T63).

/** `again`: soon, and as often as it takes. `later`: not for ever. `never`: it will not get better. */
export type FetchVerdict = 'again' | 'later' | 'never'

/** The codes of calls that ended without their answer, see docs/protocol.md. */
export function judgeFetchFailure(code: string, remoteCode: string | undefined): FetchVerdict {
  if (code === 'CLOSED') return 'never'
  if (code !== 'REFUSED') return 'later'
  if (remoteCode === 'EBUSY') return 'again'
  return remoteCode === 'EINTERNAL' ? 'later' : 'never'
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
const MAX_FAILURES = 8

/** How long to wait after so many failures in a row; null: it is given up. */
export function fetchPauseMs(failures: number): number | null {
  if (failures > MAX_FAILURES) return null
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
}
