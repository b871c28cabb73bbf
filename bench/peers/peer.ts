// What the benchmark compares with: a cluster of three that a client process can be pointed at.

import { setTimeout as sleep } from 'node:timers/promises'

export interface Peer extends AsyncDisposable {
  /** Whom the client asks: the leader, which is best for it. */
  readonly address: string
}

const PATIENCE_MS = 30_000
const PAUSE_MS = 100

/** Asks again until there is an answer. @throws when there is none for too long, with the last reason. */
export async function eventually<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + PATIENCE_MS
  let reason = 'no answer'
  while (performance.now() < endMs) {
    try {
      const answer = await ask()
      if (answer !== null) return answer
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    await sleep(PAUSE_MS)
  }
  throw new Error(`${what} is not ready after ${PATIENCE_MS / 1000} s: ${reason}.`)
}
