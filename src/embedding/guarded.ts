// Keeps a copy of an actor from taking one more step once its time is over, also when its process has slept and nobody could
// stop it in time: what waited in queues and timers comes to nothing.

import type { AnyActorLogic } from 'xstate'
import type { Clock } from '../runtime/clock.ts'

/** The same logic, which hears nothing once `expired` says so: that has stopped its actor, or is about to. */
export function guardedLogic<L extends AnyActorLogic>(logic: L, expired: () => boolean): L {
  const transition: L['transition'] = (snapshot, event, scope) =>
    event.type !== 'xstate.stop' && expired() ? snapshot : logic.transition(snapshot, event, scope)
  // By inheritance: a machine is an object with methods of its own.
  return Object.create(logic, { transition: { value: transition } })
}

/** Timers of the copy and its children fire only while it may run. */
export function guardedClock(clock: Clock, expired: () => boolean): Clock {
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    setTimeout: (run, delayMs) => clock.setTimeout(() => (expired() ? undefined : run()), delayMs),
    clearTimeout: (timer) => clock.clearTimeout(timer),
    defer: (run) => clock.defer(run),
  }
}
