// SIGTERM and Ctrl-C: the first asks for an orderly stop, the second ends the process at once.

import type { Logger } from '../../runtime/logger.ts'
import { ExitCode, endThoughDiskHangs } from '../exit.ts'

export interface StopRequest {
  /** Fulfilled at the first signal. */
  readonly asked: Promise<void>
  /** Aborted at the same time, for what is still starting. */
  readonly signal: AbortSignal
}

export function listenForStop(logger: Logger): StopRequest {
  const controller = new AbortController()
  const asked = new Promise<void>((resolve) => {
    const onSignal = (name: NodeJS.Signals): void => {
      if (controller.signal.aborted) {
        logger.warn({ signal: name }, 'A second signal: leaving at once.')
        endThoughDiskHangs()
        process.exit(ExitCode.FAILED)
      }
      logger.info({ signal: name }, 'Asked to stop.')
      controller.abort()
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
  return { asked, signal: controller.signal }
}
