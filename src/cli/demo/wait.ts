// Waiting for something to become true, within limits.

import { setTimeout as pause } from 'node:timers/promises'
import { CliError, ExitCode } from '../exit.ts'

export const PATIENCE_MS = 30_000
const POLL_MS = 2

export interface WaitOptions {
  readonly timeoutMs?: number
  /** True ends the waiting too. */
  readonly unless?: () => boolean
}

/** @throws CliError "The demo failed: <failure> within …". */
export async function until(
  condition: () => boolean,
  failure: string,
  { timeoutMs = PATIENCE_MS, unless = () => false }: WaitOptions = {},
): Promise<void> {
  const giveUpMs = performance.now() + timeoutMs
  while (!condition() && !unless()) {
    await pause(POLL_MS)
    if (performance.now() > giveUpMs)
      throw new CliError(ExitCode.FAILED, `The demo failed: ${failure} within ${timeoutMs / 1000} seconds.`)
  }
}
