// An operation whose caller may stop waiting for it.

import { aborted, untilAborted } from '../protocol/aborting.ts'

/** @throws QuorateError ABORTED: as not applied when the signal was aborted before, else with `outcome` */
export function abortable<T>(
  signal: AbortSignal | undefined,
  outcome: 'unknown' | 'not-applied',
  run: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return run()
  return signal.aborted
    ? Promise.reject(aborted(signal, 'not-applied'))
    : untilAborted(run(), signal, outcome)
}
