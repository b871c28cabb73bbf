// An order, as anybody writes it with XState: it knows nothing of members, logs or leaders.
import { assign, fromPromise, setup } from 'xstate'

export const orderMachine = setup({
  types: {
    context: {} as { amount: number; receipt: string | null },
    events: {} as { type: 'add'; amount: number } | { type: 'pay' },
  },
  actors: {
    // `self.id` is the same when another member starts the job over: a bank that is told pays once.
    payment: fromPromise<string, { amount: number }>(
      async ({ input, self }) => `${input.amount} paid by ${self.id}`,
    ),
  },
  delays: { patience: 86_400_000 },
}).createMachine({
  id: 'order',
  version: '1',
  context: { amount: 0, receipt: null },
  initial: 'open',
  states: {
    open: {
      on: {
        add: { actions: assign({ amount: ({ context, event }) => context.amount + event.amount }) },
        pay: { guard: ({ context }) => context.amount > 0, target: 'paying' },
      },
      after: { patience: 'forgotten' },
    },
    paying: {
      invoke: {
        id: 'payment',
        src: 'payment',
        input: ({ context }) => ({ amount: context.amount }),
        onDone: { target: 'paid', actions: assign({ receipt: ({ event }) => event.output }) },
        onError: 'open',
      },
    },
    paid: { type: 'final' },
    forgotten: { type: 'final' },
  },
})
