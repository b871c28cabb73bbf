// A repeating timer as an actor: tells its parent when it fires, then draws the next delay. Entering the state that
// invokes it starts it, leaving that state stops it, so a timer cannot outlive the role it belongs to.
//
// It fires one turn after it is due. A process that slept finds its timers due and its mail unread: whoever judges first
// and reads afterwards takes a living leader for dead (and a leader itself for deserted).

import { assign, sendParent, setup } from 'xstate'
import type { Clock } from '../runtime/clock.ts'

export type TimerName = 'election' | 'vote' | 'stepDown' | 'snapshot'

/** What the parent hears. What is judged about it is judged at `firedMs`, by guard and action alike. */
export type TimerFired = {
  [N in TimerName]: {
    readonly type: `timer.${N}`
    readonly firedMs: number
    /** How much later than asked for: large when this process was held up. */
    readonly lateMs: number
  }
}[TimerName]

export interface TimerInput {
  readonly name: TimerName
  readonly clock: Pick<Clock, 'nowMs' | 'defer'>
  /** The delay to the next firing, asked each time the timer is armed; null: not before it is told to `arm`. */
  readonly nextDelayMs: () => number | null
}

export interface TimerContext extends TimerInput {
  /** Drawn once for each firing. */
  readonly delayMs: number | null
  readonly dueMs: number
}

/**
 * `arm`: begin, if it rests; an armed timer stays as it is (trap T1). `again`: draw anew, also when it is armed.
 * `turn`: the mail of the turn in which it was due has been read.
 */
export type TimerEvent = { readonly type: 'arm' } | { readonly type: 'again' } | { readonly type: 'turn' }

const timer = setup({
  types: { context: {} as TimerContext, input: {} as TimerInput, events: {} as TimerEvent },
  guards: {
    hasDelay: ({ context }) => context.delayMs !== null,
  },
  actions: {
    draw: assign(({ context: { clock, nextDelayMs } }) => {
      const delayMs = nextDelayMs()
      return { delayMs, dueMs: clock.nowMs() + (delayMs ?? 0) }
    }),
    awaitTurn: ({ context: { clock }, self }) =>
      clock.defer(() => {
        if (self.getSnapshot().status === 'active') self.send({ type: 'turn' })
      }),
    fire: sendParent(({ context: { name, clock, dueMs } }) => {
      const firedMs = clock.nowMs()
      return { type: `timer.${name}`, firedMs, lateMs: Math.max(0, firedMs - dueMs) }
    }),
  },
  delays: { nextDelay: ({ context }) => Math.max(1, context.delayMs ?? 0) },
})

export const timerMachine = timer.createMachine({
  id: 'timer',
  context: ({ input }) => ({ delayMs: null, dueMs: 0, ...input }),
  initial: 'choosing',
  states: {
    choosing: { entry: 'draw', always: [{ guard: 'hasDelay', target: 'armed' }, { target: 'resting' }] },
    armed: { after: { nextDelay: { target: 'due' } }, on: { again: { target: 'choosing' } } },
    due: { entry: 'awaitTurn', on: { turn: { target: 'choosing', actions: 'fire' } } },
    resting: { on: { arm: { target: 'choosing' }, again: { target: 'choosing' } } },
  },
})
