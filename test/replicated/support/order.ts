// The machine of the tests: an order that is paid by a job, with a time-out, and everything else that machines do.

import { assign, emit, fromCallback, fromPromise, raise, sendTo, setup } from 'xstate'

export interface Payment {
  readonly amount: number
}

/** What the jobs of a test do; each call is noted. */
export interface World {
  readonly calls: string[]
  readonly acted: string[]
  pay(payment: Payment, key: string, signal: AbortSignal): Promise<unknown>
}

export function orderMachine(world: World, version = '1') {
  return setup({
    types: {
      context: {} as { amount: number; receipt: unknown; heard: string[]; failure?: string | undefined },
      events: {} as
        | { type: 'add'; amount: number }
        | { type: 'pay' }
        | { type: 'cancel' }
        | { type: 'spoil' }
        | { type: 'loop' }
        | { type: 'later'; ms: number }
        | { type: 'forget' }
        | { type: 'listen' }
        | { type: 'say'; word: string }
        | { type: 'heard'; word: string }
        | { type: 'note'; word: string },
      emitted: {} as { type: 'paid'; amount: number } | { type: 'opened' },
      input: {} as { amount: number } | undefined,
    },
    actors: {
      payment: fromPromise(
        ({ input, self, signal }: { input: Payment; self: { id: string }; signal: AbortSignal }) => {
          world.calls.push(self.id)
          return world.pay(input, self.id, signal)
        },
      ),
      ear: fromCallback<{ type: 'say'; word: string }, undefined>(({ receive, sendBack }) => {
        world.calls.push('ear')
        receive(({ word }) => sendBack({ type: 'heard', word: `${word}!` }))
        return () => void world.calls.push('ear is closed')
      }),
    },
    actions: {
      print: ({ context }) => void world.acted.push(`amount ${context.amount}`),
    },
    guards: {
      affordable: ({ context }) => {
        if (context.amount === 13) throw new Error('thirteen is bad luck')
        return context.amount < 100
      },
    },
    delays: { patience: 5000 },
  }).createMachine({
    id: 'order',
    version,
    context: ({ input }) => ({ amount: input?.amount ?? 0, receipt: null, heard: [] }),
    initial: 'open',
    states: {
      open: {
        entry: [emit({ type: 'opened' }), 'print'],
        on: {
          add: { actions: assign({ amount: ({ context, event }) => context.amount + event.amount }) },
          pay: { guard: 'affordable', target: 'paying' },
          spoil: { actions: assign(({ context }) => ({ ...context, receipt: () => 1 })) },
          loop: 'looping',
          later: {
            actions: raise({ type: 'note', word: 'later' }, { id: 'later', delay: ({ event }) => event.ms }),
          },
          note: {
            actions: assign({ heard: ({ context, event }) => [...context.heard, event.word] }),
          },
          forget: { actions: assign({ failure: () => undefined }) },
          listen: 'listening',
          cancel: 'canceled',
        },
      },
      looping: { always: { guard: ({ context }) => context.amount >= 0, target: 'loopingBack' } },
      loopingBack: { always: 'looping' },
      listening: {
        invoke: { id: 'ear', src: 'ear' },
        on: {
          say: { actions: sendTo('ear', ({ event }) => event) },
          heard: {
            actions: [
              assign({ heard: ({ context, event }) => [...context.heard, event.word] }),
              sendTo(({ self }) => self, { type: 'note', word: 'self' }),
            ],
          },
          note: { actions: assign({ heard: ({ context, event }) => [...context.heard, event.word] }) },
          cancel: 'canceled',
        },
      },
      paying: {
        after: { patience: 'canceled' },
        invoke: {
          id: 'payment',
          src: 'payment',
          input: ({ context }) => ({ amount: context.amount }),
          onDone: {
            target: 'paid',
            actions: [
              assign({ receipt: ({ event }) => event.output }),
              emit(({ context }) => ({ type: 'paid', amount: context.amount })),
            ],
          },
          onError: {
            target: 'open',
            actions: assign({
              failure: ({ event }) =>
                typeof event.error === 'object' && event.error !== null && 'message' in event.error
                  ? String(event.error.message)
                  : 'nobody knows',
            }),
          },
        },
      },
      paid: { type: 'final' },
      canceled: { type: 'final' },
    },
  })
}

/** A world where payments wait until somebody lets them go. */
export class SlowWorld implements World {
  readonly calls: string[] = []
  readonly acted: string[] = []
  readonly waiting: {
    readonly resolve: (value: unknown) => void
    readonly reject: (error: unknown) => void
  }[] = []

  pay(): Promise<unknown> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }
}
