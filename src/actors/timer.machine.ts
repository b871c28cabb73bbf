// A repeating timer as an actor: tells its parent when it fires, then draws the next delay. Entering the state that
// invokes it starts it, leaving that state stops it, so a timer cannot outlive the role it belongs to.

import { sendParent, setup } from 'xstate'

export type TimerName = 'election' | 'vote' | 'stepDown' | 'snapshot'

export interface TimerInput {
  readonly name: TimerName
  /** The delay to the next firing; asked each time the timer is armed. */
  readonly nextDelayMs: () => number
}

const timer = setup({
  types: { context: {} as TimerInput, input: {} as TimerInput },
  actions: { fire: sendParent(({ context }) => ({ type: `timer.${context.name}` })) },
  delays: { nextDelay: ({ context }) => Math.max(1, context.nextDelayMs()) },
})

export const timerMachine = timer.createMachine({
  id: 'timer',
  context: ({ input }) => ({ ...input }),
  initial: 'armed',
  states: {
    armed: { after: { nextDelay: { target: 'armed', reenter: true, actions: 'fire' } } },
  },
})
