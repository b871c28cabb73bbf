// A repeating timer as an actor: tells its parent when it fires, then draws the next delay. Entering the state that
// invokes it starts it, leaving that state stops it, so a timer cannot outlive the role it belongs to.

import { assign, sendParent, setup } from 'xstate'

export type TimerName = 'election' | 'vote' | 'stepDown' | 'snapshot'

export interface TimerInput {
  readonly name: TimerName
  /** The delay to the next firing, asked each time the timer is armed; null: not before it is told to `arm`. */
  readonly nextDelayMs: () => number | null
}

export interface TimerContext extends TimerInput {
  /** Drawn once for each firing. */
  readonly delayMs: number | null
}

const timer = setup({
  types: { context: {} as TimerContext, input: {} as TimerInput, events: {} as { readonly type: 'arm' } },
  guards: { hasDelay: ({ context }) => context.delayMs !== null },
  actions: {
    draw: assign({ delayMs: ({ context }) => context.nextDelayMs() }),
    fire: sendParent(({ context }) => ({ type: `timer.${context.name}` })),
  },
  delays: { nextDelay: ({ context }) => Math.max(1, context.delayMs ?? 0) },
})

export const timerMachine = timer.createMachine({
  id: 'timer',
  context: ({ input }) => ({ ...input, delayMs: null }),
  initial: 'choosing',
  states: {
    choosing: { entry: 'draw', always: [{ guard: 'hasDelay', target: 'armed' }, { target: 'resting' }] },
    armed: { after: { nextDelay: { target: 'choosing', actions: 'fire' } } },
    resting: { on: { arm: { target: 'choosing' } } },
  },
})
