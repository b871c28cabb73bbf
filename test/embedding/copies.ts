// One log for all members: which copies began and ended, in the order in which they did.

import { expect } from 'vitest'
import { assign, setup } from 'xstate'
import type { CopyChange, FencingToken, Leadership } from '../../src/xstate.ts'
import { compareTokens } from '../../src/xstate.ts'

export type Logged = CopyChange & { readonly id: string }

/** What a copy works on: it takes a step every few milliseconds. */
export interface Work {
  readonly everyMs: number
  step(token: FencingToken): void
}

/** Steps until it is told to finish, and takes `finishMs` for that; fails when told to. */
export const worker = setup({
  types: {
    input: {} as Leadership & { work: Work; finishMs?: number },
    context: {} as { work: Work; token: FencingToken; finishMs: number },
    events: {} as { type: 'finish' } | { type: 'fail' } | { type: 'done' },
  },
  delays: { pause: ({ context }) => context.work.everyMs, finishing: ({ context }) => context.finishMs },
  actions: {
    step: ({ context }) => context.work.step(context.token),
    fail: assign(() => {
      throw new Error('out of order')
    }),
  },
}).createMachine({
  context: ({ input }) => ({ work: input.work, token: input.token, finishMs: input.finishMs ?? 0 }),
  initial: 'working',
  states: {
    working: {
      entry: 'step',
      after: { pause: { target: 'working', reenter: true } },
      on: { finish: 'finishing', fail: { actions: 'fail' }, done: 'ended' },
    },
    finishing: { after: { finishing: 'ended' } },
    ended: { type: 'final' },
  },
})

/** No two at a time, and every one has a newer token than all before it. Returns how many began. */
export function checkCopies(log: readonly Logged[]): number {
  let running: Logged | null = null
  let last: FencingToken = { term: 0, index: 0, run: 0 }
  let begun = 0
  for (const entry of log) {
    const { type, token, id } = entry
    if (type === 'started') {
      expect(running, `${id} begins`).toBeNull()
      expect(compareTokens(token, last), `the token of ${id}`).toBeGreaterThan(0)
      running = entry
      last = token
      begun++
    } else if (running !== null && compareTokens(token, running.token) === 0) running = null
  }
  return begun
}
