// A member is asked to stop: the first signal asks for an orderly end, the second ends the process at once.

import { isQuorateError } from '../../errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { ExitCode, endThoughDiskHangs } from '../exit.ts'
import { takeSignals } from '../signals.ts'

export interface StopRequest {
  /** Fulfilled at the first signal. */
  readonly asked: Promise<void>
  /** Aborted at the same time, for what is still starting. */
  readonly signal: AbortSignal
}

/** Hears also of signals that came earlier. */
export function listenForStop(logger: Logger): StopRequest {
  const controller = new AbortController()
  const asked = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  takeSignals((signal) => {
    if (controller.signal.aborted) {
      logger.warn({ signal }, 'A second signal: leaving at once.')
      endThoughDiskHangs()
      process.exit(ExitCode.FAILED)
    }
    logger.info({ signal }, 'Asked to stop.')
    controller.abort()
  })
  return { asked, signal: controller.signal }
}

/** For what cannot be called off and may be left behind. Rejects with the signal's reason when it is first. */
export function unlessAsked<T>(work: Promise<T>, { signal }: StopRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(signal.reason)
    if (signal.aborted) give()
    else signal.addEventListener('abort', give, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give))
  })
}

/** True when `error` says no more than that: a start was called off. Whatever else went wrong is still an error. */
export function isStop(error: unknown, { signal }: StopRequest): boolean {
  if (!signal.aborted) return false
  return error === signal.reason || (isQuorateError(error) && error.code === 'ABORTED')
}
