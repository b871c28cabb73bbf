// What a caller's signal ends: the waiting, never what was asked for.

import { QuorateError } from '../errors.ts'

/** The same promise, unless the signal is first. What was asked goes its way all the same. */
export function untilAborted<T>(
  asked: Promise<T>,
  signal: AbortSignal,
  outcome: 'unknown' | 'not-applied',
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(signal, outcome))
    signal.addEventListener('abort', onAbort, { once: true })
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

export function aborted(signal: AbortSignal | undefined, outcome: 'unknown' | 'not-applied'): QuorateError {
  const message =
    outcome === 'unknown'
      ? 'The caller stopped waiting; what was asked for may or may not be done.'
      : 'The caller gave up.'
  return new QuorateError('ABORTED', message, { outcome, cause: signal?.reason })
}
