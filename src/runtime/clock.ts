// Time as a port. Nothing in the consensus path asks the platform for the time or sets a bare timer, so that a
// whole cluster can be replayed in virtual time.

// The global of the same name is looked up anew at each call, and each applied entry looks at the clock.
import { performance } from 'node:perf_hooks'
import { deferring } from './turns.ts'

/** Whatever the clock handed out; pass it back to `clearTimeout`, look no further into it. */
export type TimerHandle = unknown

export interface Clock {
  /** Monotonic milliseconds. Never goes back within one life of the process; says nothing about other machines. */
  nowMs(): number
  /** Milliseconds since the epoch. For log lines and traces only: no rule may depend on it. */
  wallMs(): number
  /** Runs `run` once, not before `delayMs` have passed. */
  setTimeout(run: () => void, delayMs: number): TimerHandle
  /** Forgets a timer. Harmless when it has fired or was cleared before. */
  clearTimeout(handle: TimerHandle): void
  /** Runs `run` after everything that is going on in this turn: the place where batches are closed. */
  defer(run: () => void): void
}

/** The clock of the machine. Timers do not keep a process alive beyond its sockets and threads. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimeout: (run, delayMs) => setTimeout(run, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  defer: deferring(setImmediate),
}
